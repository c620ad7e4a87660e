import type { Message } from './decision.js';
import type { Delivery, GroupScope, Outcome } from './delivery.js';
import { cleanUp, guardsOf } from './settlement.js';
import { supersededReply, tooLate } from './system-reply.js';
import { effectsOf, parseUndoer } from './tombstones.js';

/**
 * The effect of a message that may have been undone before it is handled: one that has come before, or whose effect this
 * process has undone itself. Others find out when they commit, so that most messages cost no look.
 *
 * @param again whether it is handled anew because somebody else was faster
 */
export function doubtfulEffect(
  { broker }: GroupScope,
  { entry, deliveries, retry }: Delivery,
  message: Message,
  again: boolean,
): string | undefined {
  const effect = effectsOf(message, entry)?.effect;
  if (effect === undefined) return undefined;
  const before = again || deliveries > 1 || retry !== undefined || message.origin !== undefined;
  return before || broker.undone.has(effect) ? effect : undefined;
}

/** Acknowledges a command whose effect has been undone, and says so to who wants a reply. */
export async function supersede(scope: GroupScope, delivery: Delivery, message: Message, by: string): Promise<Outcome> {
  const { broker, group, logger } = scope;
  const { entry } = delivery;
  const { envelope, handler } = message;
  const undoneBy = parseUndoer(by);
  const effect = envelope.effectid!;
  const result = await broker.commit({
    partition: entry.source.partition,
    guards: guardsOf(scope, delivery),
    writes: [...supersededReply(broker, envelope, { effect, undoneBy }), ...cleanUp(scope, delivery)],
  });
  // Acknowledged by its first commit, whose answer was lost: then it had its effect before that was undone.
  if (result.status === 'refused') return result.guard === 'lease' ? 'lease-lost' : 'settled';
  group.superseded++;
  broker.telemetry?.superseded({ type: envelope.type, group: group.name });
  logger.warn(`${handler.name}: ${envelope.type} ${envelope.id} ${tooLate({ effect, undoneBy })}`);
  return 'settled';
}
