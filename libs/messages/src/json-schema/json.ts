/** A JSON Schema, draft 7. */
export type JsonSchema = Record<string, unknown>;
