import { contractOf } from '../contract.js';
import type { MessageClass } from '../contract.js';
import { decoratedSchema } from './decorated-schema.js';
import type { Nested, NestedClass } from './decorated-schema.js';
import type { JsonSchema } from './json.js';
import { standardJsonSchema } from './standard-json-schema.js';

/** Where the schemas of an AsyncAPI or OpenAPI document stand. */
export const SCHEMAS = '#/components/schemas/';

/**
 * JSON Schemas of message classes, as components of one AsyncAPI or OpenAPI document. What a class refers to becomes a component, too.
 *
 * @see https://json-schema.org/draft-07
 */
export class JsonSchemas {
  readonly components: Record<string, JsonSchema> = {};
  private readonly names = new Map<unknown, string>();

  /**
   * @returns a reference to the schema of a message class
   * @throws MessageError `no-json-schema`, for a package that is needed to make it and is not installed
   */
  async of(contract: MessageClass): Promise<JsonSchema> {
    const known = this.names.get(contract);
    if (known !== undefined) return { $ref: SCHEMAS + known };
    const { type, schema } = contractOf(contract);
    const name = this.name(contract, type);
    if (schema) this.embed(name, await standardJsonSchema(schema, type));
    else {
      await decoratedSchema(
        contract,
        (nested) => this.nested(nested),
        (made) => (this.components[name] = made),
      );
    }
    return { $ref: SCHEMAS + name };
  }

  /** A name for a class that messages have inside. */
  private nested(type: NestedClass): Nested {
    const known = this.names.get(type);
    if (known !== undefined) return { ref: SCHEMAS + known };
    const name = this.name(type, type.name);
    return { ref: SCHEMAS + name, describe: (made) => (this.components[name] = made) };
  }

  private name(of: unknown, wanted: string): string {
    const taken = new Set(this.names.values());
    let name = wanted;
    for (let i = 2; taken.has(name); i++) name = `${wanted}.${i}`;
    this.names.set(of, name);
    return name;
  }

  /** References inside a schema begin at its root, which is another one here. */
  private embed(name: string, { $schema: _dialect, definitions, $defs, ...schema }: JsonSchema): void {
    const inner = { ...(definitions as JsonSchema), ...($defs as JsonSchema) };
    const names = new Map(Object.keys(inner).map((key) => [key, `${name}.${key.replace(/[^\w.-]/g, '_')}`]));
    const move = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(move);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, each]) => [key, key === '$ref' ? moved(each as string) : move(each)]),
      );
    };
    const moved = (ref: string): string => {
      if (ref === '#') return SCHEMAS + name;
      const key = /^#\/(?:definitions|\$defs)\/(.+)$/.exec(ref)?.[1];
      return key === undefined ? ref : SCHEMAS + (names.get(decodeURIComponent(key)) ?? key);
    };
    this.components[name] = move(schema) as JsonSchema;
    for (const [key, each] of Object.entries(inner)) this.components[names.get(key)!] = move(each) as JsonSchema;
  }
}
