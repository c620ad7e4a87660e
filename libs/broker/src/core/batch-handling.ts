import type { Arrival } from './arrival.js';
import { Batch } from './batch.js';
import type { BatchHandler } from './batch.js';
import type { Guard } from './commit.js';
import { describe } from './dead-lettering.js';
import type { Message } from './decision.js';
import type { GroupScope, Outcome } from './delivery.js';
import { HandlerTimeoutError } from './errors.js';
import type { HandlerDeclaration } from './handler.js';
import { HandlingContext } from './handling-context.js';
import { LazySignal } from './lazy-signal.js';
import { leaseOf, refOf } from './settlement.js';
import { UnitOfWork } from './unit-of-work.js';
import { within } from './within.js';
import type { Slot } from './work.js';

/** How a message of a batch ended: as it would have alone, or it has yet to be tried alone, perhaps after a failure. */
export type BatchOutcome = Outcome | { readonly alone: true; readonly failure?: { readonly error: unknown } };

export interface BatchOfMessages {
  readonly handler: HandlerDeclaration;
  /** Of one place and one epoch. */
  readonly arrivals: readonly Arrival[];
}

/**
 * Runs a handler of batches, and commits what it decided and all its messages as one. When that does not work out, each
 * message is tried alone, so that one does not hold up its neighbours.
 */
export async function handleBatch(
  scope: GroupScope,
  { handler, arrivals }: BatchOfMessages,
  slot: Slot,
): Promise<readonly BatchOutcome[]> {
  const alone = (): BatchOutcome[] => arrivals.map(() => ({ alone: true }));
  const { partition } = arrivals[0]!.entry.source;
  const messages = arrivals.map(({ received }) => received as Message);
  const contexts = arrivals.map(
    ({ entry }, i) => new HandlingContext(messages[i]!.envelope, entry, 1, scope.abandoning),
  );
  const over = new LazySignal(() => [scope.abandoning]);
  const data = messages.map((message) => message.data);
  const batch = new Batch(partition, data, contexts, over);
  const unit = new UnitOfWork(undefined, scope.broker);
  try {
    await run(scope, handler, unit, batch, over);
    if (overtakes(arrivals, batch.failures)) {
      scope.logger.warn(`${handler.name}: a message failed before others of its key, so each is tried alone`);
      return alone();
    }
    const done = arrivals.filter((_, i) => !batch.failures.has(i));
    const outcome = done.length === 0 ? 'settled' : await commit(scope, unit, done, slot);
    if (outcome === undefined) return alone();
    return arrivals.map((_, i) =>
      batch.failures.has(i) ? { alone: true, failure: { error: batch.failures.get(i) } } : outcome,
    );
  } catch (error) {
    scope.logger.warn(
      `${handler.name} failed with ${arrivals.length} messages, each is tried alone: ${describe(error)}`,
    );
    return arrivals.length === 1 ? [{ alone: true, failure: { error } }] : alone();
  } finally {
    unit.end();
  }
}

function run(
  { settings: { handlerTimeoutMs } }: GroupScope,
  handler: HandlerDeclaration,
  unit: UnitOfWork,
  batch: Batch,
  over: LazySignal,
): Promise<void> {
  const { handle } = handler.batch as BatchHandler;
  const running = unit.run(() => batch.run(handle));
  if (handlerTimeoutMs === undefined) return running;
  return within(handlerTimeoutMs, running, () => {
    const error = new HandlerTimeoutError(
      `${handler.name} has not settled within ${handlerTimeoutMs} ms (handlerTimeoutMs), its batch has been given up`,
    );
    unit.abandon(error);
    over.abort(error);
    return error;
  });
}

/** Whether a message would be done before an earlier one of its key. */
function overtakes(arrivals: readonly Arrival[], failures: ReadonlyMap<number, unknown>): boolean {
  const failed = new Set<string>();
  return arrivals.some(({ key }, i) => {
    if (failures.has(i)) failed.add(key);
    return !failures.has(i) && failed.has(key);
  });
}

/** Undefined: refused, for a reason that each message finds out alone. */
async function commit(
  scope: GroupScope,
  unit: UnitOfWork,
  done: readonly Arrival[],
  slot: Slot,
): Promise<Outcome | undefined> {
  const [first] = done as [Arrival];
  // What is decided only has to be written: the next message can be handled meanwhile.
  slot.release();
  if (unit.isEmpty) {
    for (const { entry, epoch } of done) scope.acknowledger.add(entry, epoch);
    return 'settled';
  }
  const inputs = done.map(({ entry }): Guard => ({ kind: 'input', entry: refOf(entry), group: scope.group.name }));
  const lease = leaseOf(scope, first);
  const decided = await unit.toCommit(first.entry.source.partition, lease ? [lease, ...inputs] : inputs);
  await scope.acknowledger.certain;
  const result = await scope.broker.commit(decided);
  if (result.status === 'committed') return 'settled';
  return result.guard === 'lease' ? 'lease-lost' : undefined;
}
