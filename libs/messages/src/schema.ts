import type { StandardSchemaV1 } from '@standard-schema/spec';
import { contractOf } from './contract.js';
import type { CommandReplies, MessageClass } from './contract.js';
import { checkStandard, parseBySchema, SCHEMA } from './standard-schema.js';

declare const problem: unique symbol;

/** What the compiler names when a schema cannot describe a message. */
export interface UnfitSchema<Reason extends string> {
  readonly [problem]: Reason;
}

type AnySchema = StandardSchemaV1<unknown, object>;
type InputOf<S extends AnySchema> = StandardSchemaV1.InferInput<S>;
type OutputOf<S extends AnySchema> = StandardSchemaV1.InferOutput<S>;

type Fit<S extends AnySchema> =
  OutputOf<S> extends readonly unknown[]
    ? UnfitSchema<'data are an object, so that fields can be added'>
    : OutputOf<S> extends InputOf<S>
      ? unknown
      : UnfitSchema<'what is sent is what the schema makes, so the schema has to take that, too'>;

/** The base of a class whose data a schema describes. With type arguments it is a command with these replies. */
export interface SchemaClass<Input, Data> {
  new (data: Input): Data;
  new <Success extends object, Failure extends object = never>(data: Input): Data & CommandReplies<Success, Failure>;
}

/**
 * The base class of a message that a schema describes, of any library that keeps to Standard Schema (Zod, Valibot, ArkType,
 * ...), in place of class-validator's decorators. The class has the fields of what the schema makes.
 *
 * ```ts
 * @Event('order.placed', { key: 'orderId' })
 * class OrderPlaced extends Schema(z.object({ orderId: z.uuid(), currency: z.string().default('EUR') })) {}
 *
 * @Command('catalog.reserve-stock', { key: 'orderId' })
 * class ReserveStock extends Schema(z.object({ orderId: z.uuid() }))<StockReserved, OutOfStock> {}
 *
 * new OrderPlaced({ orderId }).currency; // 'EUR'
 * ```
 *
 * The constructor runs the schema, and throws a MessageError `invalid-data` that names every wrong field; publishing and
 * receiving run it again. What goes over the wire is what the schema makes, as JSON, so the schema has to take that as well:
 * defaults, trimming, coercion and dates that are coerced from text do, a change into another type does not compile. A union
 * of objects has no fixed fields and cannot be extended: make it a property.
 *
 * @param schema synchronous; one that answers with promises is refused when the class is decorated or with the first message
 * @throws MessageError `invalid-type` for what is no Standard Schema
 * @see https://standardschema.dev
 */
export function Schema<S extends AnySchema>(schema: S & Fit<S>): SchemaClass<InputOf<S>, OutputOf<S>> {
  checkStandard(schema);
  // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- its fields are those of the schema
  class Described {
    static readonly [SCHEMA]: AnySchema = schema;

    constructor(data: unknown) {
      const { type } = contractOf(new.target as MessageClass);
      assign(this, parseBySchema(schema, type, data, new.target));
    }
  }
  return Described as unknown as SchemaClass<InputOf<S>, OutputOf<S>>;
}

/** An instance with these data, which its schema has made. */
export function instanceOf<T extends object>(type: MessageClass<T>, data: object): T {
  return assign(Object.create(type.prototype as object) as T, data);
}

/** Data never replace what the class itself defines: `constructor`, a method, a getter. */
function assign<T extends object>(instance: T, data: object): T {
  for (const key of Object.keys(data)) {
    if (!(key in instance)) (instance as Record<string, unknown>)[key] = (data as Record<string, unknown>)[key];
  }
  return instance;
}
