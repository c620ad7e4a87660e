import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { MessageError } from '../message-error.js';
import type { JsonSchema } from './json.js';
import { optionalPackage } from './optional-package.js';

/**
 * The JSON Schema of what a schema takes, by the library that the schema is of: Standard JSON Schema, or Valibot's own
 * package.
 *
 * @see https://standardschema.dev/json-schema
 * @throws MessageError `no-json-schema`, when the library has none for it
 */
export async function standardJsonSchema(schema: StandardSchemaV1, type: string): Promise<JsonSchema> {
  const standard = schema['~standard'] as StandardSchemaV1['~standard'] & Partial<StandardJSONSchemaV1['~standard']>;
  try {
    if (standard.jsonSchema) return standard.jsonSchema.input({ target: 'draft-07' });
    if (standard.vendor === 'valibot') return await valibotSchema(schema);
  } catch (cause) {
    if (cause instanceof MessageError) throw cause;
    throw new MessageError(
      'no-json-schema',
      `the schema of ${type} cannot be written as JSON Schema: ${(cause as Error).message}`,
    );
  }
  throw new MessageError(
    'no-json-schema',
    `the schema of ${type} is of '${standard.vendor}', which has no Standard JSON Schema: AsyncAPI needs one`,
  );
}

async function valibotSchema(schema: StandardSchemaV1): Promise<JsonSchema> {
  const name = '@valibot/to-json-schema';
  const { toJsonSchema } = await optionalPackage(
    name,
    'AsyncAPI of a Valibot schema',
    () => import('@valibot/to-json-schema'),
  );
  // What JSON Schema has no word for is left out, as a description may say less than the check.
  return toJsonSchema(schema as never, { typeMode: 'input', errorMode: 'ignore' }) as JsonSchema;
}
