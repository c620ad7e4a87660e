import { contractOf } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { checkFunctions } from './check-functions.js';
import type { Fields, NoOther } from './fields.js';
import { checked, instanceOf, retyped } from './retype.js';
import type { MapTransform } from './transform.js';

/** One shape that a normalizer understands. */
interface Shape {
  readonly type: string;
  readonly contract?: MessageClass;
  /** The mapped data; undefined when the message does not have this shape. */
  map(message: Envelope): object | undefined;
}

/**
 * Normalizer: messages that mean the same and look different become one contract. Shapes are tried in the order in which
 * they are added; a message of a known type that has none of its shapes is refused.
 *
 * @example
 * normalize(OrderReceived)
 *   .accepts(WebOrder, ({ id, cents }) => ({ orderId: id, cents }))
 *   .accepts('erp.ordr', isErpOrder, ({ ORDNR, AMT }) => ({ orderId: ORDNR, cents: AMT * 100 }))
 */
export function normalize<B extends object>(to: MessageClass<B>): Normalizer<B> {
  return new Normalizer(to, []);
}

/** A transform that takes the shapes added so far. */
export class Normalizer<B extends object> implements MapTransform {
  readonly kind = 'normalize';
  readonly shape = 'map';
  readonly name: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly contracts: readonly MessageClass[];

  constructor(
    private readonly target: MessageClass<B>,
    private readonly shapes: readonly Shape[],
  ) {
    const { type } = contractOf(target);
    this.from = [...new Set(shapes.map((shape) => shape.type))];
    this.to = [type];
    this.name = `normalize ${this.from.join(', ')} -> ${type}`;
    this.contracts = [...shapes.flatMap(({ contract }) => contract ?? []), target];
  }

  /** The same normalizer, which also takes messages of a contract. */
  accepts<A extends object, R extends Fields<B>>(
    contract: MessageClass<A>,
    map: (data: A) => R & NoOther<R, B>,
  ): Normalizer<B>;
  /** The same normalizer, which also takes data without a contract, where `is` recognizes them. */
  accepts<A, R extends Fields<B>>(
    type: string,
    is: (data: unknown) => data is A,
    map: (data: A) => R & NoOther<R, B>,
  ): Normalizer<B>;
  accepts(
    source: string | MessageClass,
    second: (data: never) => unknown,
    third?: (data: never) => object,
  ): Normalizer<B> {
    const ofText = typeof source === 'string';
    const map = (ofText ? third : second) as (data: never) => object;
    const from = ofText ? source : contractOf(source).type;
    checkFunctions(`normalize ${from} -> ${contractOf(this.target).type}`, ofText ? { is: second, map } : { map });
    const shape: Shape =
      typeof source === 'string'
        ? {
            type: source,
            map: ({ data }) => (second(data as never) ? map(data as never) : undefined),
          }
        : {
            type: contractOf(source).type,
            contract: source,
            map: (message) => map(instanceOf(source, message) as never),
          };
    return new Normalizer(this.target, [...this.shapes, shape]);
  }

  apply(message: Envelope): Envelope {
    for (const shape of this.shapes) {
      const mapped = shape.type === message.type ? shape.map(message) : undefined;
      if (mapped) return retyped(message, contractOf(this.target), checked(this.target, mapped));
    }
    throw new Error(`${message.type} ${message.id} has none of the shapes that are accepted`);
  }
}
