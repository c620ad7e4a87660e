import storage from 'class-transformer/cjs/storage.js';
import { ValidationTypes } from 'class-validator';
import type { JsonSchema } from './json.js';
import { optionalPackage } from './optional-package.js';

/** A class that a property of another has, and where to put its schema; without `describe` it is there. */
export interface Nested {
  readonly ref: string;
  readonly describe?: (made: JsonSchema) => void;
}

export type NestedClass = abstract new (...args: never[]) => object;
interface Rule {
  readonly target: unknown;
  readonly propertyName: string;
}

/**
 * The JSON Schema of a class with decorators of class-validator.
 *
 * @param nested asked for each class in it
 * @throws MessageError `no-json-schema`, when class-validator-jsonschema is not installed
 */
export async function decoratedSchema(
  type: NestedClass,
  nested: (type: NestedClass) => Nested,
  describe: (made: JsonSchema) => void,
): Promise<void> {
  const name = 'class-validator-jsonschema';
  const { targetConstructorToSchema } = await optionalPackage(
    name,
    'AsyncAPI of classes with decorators of class-validator',
    () => import('class-validator-jsonschema'),
  );
  const open: [NestedClass, (made: JsonSchema) => void][] = [[type, describe]];
  const refer = ({ target, propertyName }: Rule): JsonSchema => {
    const inner = classOf(target as NestedClass, propertyName);
    if (!inner) return { type: 'object' };
    const { ref, describe: pending } = nested(inner);
    if (pending) open.push([inner, pending]);
    return { $ref: ref };
  };
  for (let next = open.pop(); next; next = open.pop()) {
    const [each, put] = next;
    const made = targetConstructorToSchema(each, {
      classTransformerMetadataStorage: storage.defaultMetadataStorage as never,
      additionalConverters: {
        [ValidationTypes.NESTED_VALIDATION]: refer as never,
        [ValidationTypes.CUSTOM_VALIDATION]: (({ target, propertyName }: Rule) =>
          primitive(target as NestedClass, propertyName)) as never,
      },
    }) as JsonSchema;
    put(plain({ type: 'object', ...made }));
  }
}

function designType(target: NestedClass, property: string): unknown {
  return Reflect.getMetadata('design:type', target.prototype as object, property);
}

function classOf(target: NestedClass, property: string): NestedClass | undefined {
  const type =
    storage.defaultMetadataStorage.findTypeMetadata(target as never, property)?.typeFunction() ??
    designType(target, property);
  return typeof type === 'function' && type !== Object && type !== Array ? (type as NestedClass) : undefined;
}

const PRIMITIVES = new Map<unknown, JsonSchema>([
  [String, { type: 'string' }],
  [Number, { type: 'number' }],
  [Boolean, { type: 'boolean' }],
]);

/** What can be said of a property with a validator that JSON Schema does not know. */
function primitive(target: NestedClass, property: string): JsonSchema {
  return PRIMITIVES.get(designType(target, property)) ?? {};
}

/** Without `nullable`, which is OpenAPI's. */
function plain(schema: unknown): JsonSchema {
  const walk = (value: unknown, names: boolean): unknown => {
    if (Array.isArray(value)) return value.map((each) => walk(each, false));
    if (typeof value !== 'object' || value === null) return value;
    // Below `properties` keys are names of the message's, whatever they are called.
    const entries = Object.entries(value).filter(([key]) => names || key !== 'nullable');
    return Object.fromEntries(entries.map(([key, each]) => [key, walk(each, !names && key === 'properties')]));
  };
  return walk(schema, false) as JsonSchema;
}
