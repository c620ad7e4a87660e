import { contractOf } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { checkFunctions } from './check-functions.js';
import type { Fields } from './fields.js';
import { checked, instanceOf, retyped } from './retype.js';
import { TransformDeclarationError } from './transform-error.js';
import type { GatherEnd, GatherTransform } from './transform.js';

/** How messages become one. At least one of `count`, `when` and `withinMs` says when. */
export interface Aggregation<A, B> {
  /** Tells aggregates of the same messages apart. Default: the type of what they give. */
  readonly name?: string;
  /** What the messages of one aggregate have in common; best the key of what their handler changes. */
  readonly by: (data: A, message: Envelope) => string;
  /** Complete with so many messages, or as many as the ones that have come say. */
  readonly count?: number | ((parts: readonly A[]) => number);
  /** Complete when this holds for what has come. */
  readonly when?: (parts: readonly A[]) => boolean;
  /** Complete so long after the first message, ms, with what has come until then. */
  readonly withinMs?: number;
  /**
   * The data of the combined message, from the parts in the order in which they came. `undefined` gives none, which is
   * how a timeout forgets what never became whole.
   */
  readonly combine: (parts: readonly A[], end: GatherEnd) => B | Fields<B> | undefined;
}

/**
 * Aggregator: collects messages that belong together and gives one for all of them. What has come so far is a state of
 * this service, changed in the commit that acknowledges each message: a crash loses nothing and counts nothing twice.
 *
 * The next message of the same correlation after the end begins anew. For inbound transforms only.
 *
 * @example
 * aggregate(ParcelPacked, OrderPacked, {
 *   by: ({ orderId }) => orderId,
 *   count: ([first]) => first!.parcels,
 *   withinMs: 86_400_000,
 *   combine: (parcels) => ({ orderId: parcels[0]!.orderId, weights: parcels.map(({ weight }) => weight) }),
 * })
 * @throws TransformDeclarationError when nothing says when it is complete
 */
export function aggregate<A extends object, B extends object>(
  from: MessageClass<A>,
  to: MessageClass<B>,
  { name, by, count, when, withinMs, combine }: Aggregation<A, B>,
): GatherTransform {
  const source = contractOf(from);
  const target = contractOf(to);
  const title = `aggregate ${name ?? target.type}`;
  if (count === undefined && when === undefined && withinMs === undefined) {
    throw new TransformDeclarationError(`'${title}' never ends: give it count, when or withinMs`);
  }
  checkFunctions(title, { by, combine, ...(when === undefined ? {} : { when }) });
  if (typeof count === 'number' && !(Number.isInteger(count) && count >= 1)) {
    throw new TransformDeclarationError(`'${title}' has count: ${count}; it must be an integer of at least 1`);
  }
  if (withinMs !== undefined && !(withinMs > 0)) {
    throw new TransformDeclarationError(`'${title}' has withinMs: ${withinMs}; it must be a number of ms above 0`);
  }
  const revived = (parts: readonly unknown[], like: Pick<Envelope, 'type'>): A[] =>
    parts.map((data) => instanceOf(from, { ...like, data } as Envelope));
  return {
    kind: 'aggregate',
    shape: 'gather',
    name: title,
    from: [source.type],
    to: [target.type],
    contracts: [from, to],
    withinMs,
    correlate: (message) => {
      const correlation: unknown = by(instanceOf(from, message), message);
      if (typeof correlation === 'string' && correlation !== '') return correlation;
      throw new Error(
        `'by' gave ${JSON.stringify(correlation)} for ${message.type}: it must be a text that is not empty`,
      );
    },
    add: (gathered, message) => {
      if (gathered?.ids.includes(message.id)) return gathered;
      const { data: _data, ...first } = message;
      return {
        first: gathered?.first ?? first,
        ids: [...(gathered?.ids ?? []), message.id],
        parts: [...(gathered?.parts ?? []), instanceOf(from, message)],
      };
    },
    isComplete: ({ parts, first }) => {
      const typed = revived(parts, first);
      const enough = typeof count === 'function' ? count(typed) : count;
      return (enough !== undefined && typed.length >= enough) || (when?.(typed) ?? false);
    },
    combine: ({ first, ids, parts }, end) => {
      const whole = combine(revived(parts, first), end);
      if (whole === undefined) return undefined;
      const { replyto: _reply, routingslip: _slip, effectid: _effect, undoes: _undone, ...cause } = first;
      const message = retyped({ ...cause, data: undefined }, target, checked(to, whole));
      return {
        ...message,
        id: `${first.id}/all`,
        correlationid: first.correlationid ?? first.id,
        causationid: ids.at(-1)!,
      };
    },
  };
}
