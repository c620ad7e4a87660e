import type { Begun, Message } from './decision.js';
import type { GroupScope } from './delivery.js';
import { HandlingContext } from './handling-context.js';
import type { Entry } from './partition.js';
import { UnitOfWork } from './unit-of-work.js';

/**
 * The way of most messages of a busy subscription: a handler that answers in this turn, with nothing decided but that the
 * message is done. It costs no promise, no commit of its own and no place in a queue.
 *
 * @returns what has been begun, or nothing when the message is done
 */
export function atOnce(scope: GroupScope, entry: Entry, { envelope, handler, data }: Message): Begun | undefined {
  const unit = new UnitOfWork(envelope, scope.broker, entry.source.partition);
  const context = new HandlingContext(envelope, entry, 1, scope.abandoning);
  let reply: Begun['reply'];
  try {
    reply = unit.call(handler, data, context);
  } catch (error) {
    return { unit, context, reply: undefined, failure: { error } };
  }
  if (reply !== undefined || !unit.isEmpty) return { unit, context, reply };
  unit.end();
  return undefined;
}

/** Whether nothing is asked of the handling of this message that the usual way would have to see to first. */
export function canBeAtOnce({ envelope, origin }: Message): boolean {
  const { replyto, expirytime, effectid, undoes } = envelope;
  return (
    replyto === undefined &&
    expirytime === undefined &&
    effectid === undefined &&
    undoes === undefined &&
    origin?.parked === undefined
  );
}
