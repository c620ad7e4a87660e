import type { Commit, CommitResult } from './commit.js';
import { decide } from './decision.js';
import type { Message } from './decision.js';
import type { Delivery, GroupScope, Outcome, Received } from './delivery.js';
import type { Slot } from './dispatcher.js';
import { ConflictError } from './errors.js';
import { HandlingContext } from './handling-context.js';
import { Perseverance } from './perseverance.js';
import { clearRetry, guardsOf, settle } from './settlement.js';

/** Those of a commit that settles an entry, when its handler adds none: the lease and the input. */
const OWN_GUARDS = 2;

/** Times in a row that a handler is run again because somebody else was faster; then that is a failed attempt. */
const MAX_CONFLICTS = 10;

/**
 * Takes one message to its commit: handle, commit; {@link Perseverance} takes over when that fails. Every path ends in
 * exactly one commit that acknowledges the entry.
 */
export class MessageProcessor {
  private readonly perseverance: Perseverance;

  constructor(private readonly scope: GroupScope) {
    this.perseverance = new Perseverance(scope, (delivery, message, slot) => this.tried(delivery, message, slot));
  }

  /**
   * Handles what was received until it is committed, dead-lettered, or no longer ours. Undefined: it was handled at once
   * and is as good as settled, only its acknowledgement is on the way.
   */
  process(delivery: Delivery, received: Received, slot: Slot): Promise<Outcome> | undefined {
    if (received.kind === 'irrelevant' && !delivery.retry) {
      this.scope.acknowledger.add(delivery.entry, delivery.epoch);
      return undefined;
    }
    if (received.kind !== 'message' || delivery.deliveries > 1 || delivery.retry) {
      return this.perseverance.persevere(delivery, received, slot);
    }
    // The way of nearly all messages, with few promises: each one costs, and more so inside a unit of work.
    return this.handle(delivery, received, slot, (error) =>
      this.perseverance.persevere(delivery, received, slot, { error }),
    );
  }

  private async tried(delivery: Delivery, message: Message, slot: Slot): Promise<Outcome> {
    const failed = (error: unknown): Promise<Outcome> => Promise.reject(error as Error);
    return (await this.handle(delivery, message, slot, failed)) ?? 'settled';
  }

  /**
   * One run of the handler and its commit; again with fresh state when somebody else changed the same stream meanwhile.
   *
   * @param otherwise what to do when it fails
   * @param conflicts how often that has happened
   */
  private handle(
    delivery: Delivery,
    message: Message,
    slot: Slot,
    otherwise: (error: unknown) => Promise<Outcome>,
    conflicts = 0,
  ): Promise<Outcome> | undefined {
    const { scope } = this;
    const { entry, retry } = delivery;
    const context = new HandlingContext(message.envelope, entry, (retry?.attempts ?? 0) + 1, scope.abandoning);
    const write = (commit: Commit): Promise<Outcome> | undefined => {
      // What is decided only has to be written: the next message can be handled meanwhile, unless it has the same key.
      slot.release();
      if (commit.writes.length === 0 && commit.guards.length === OWN_GUARDS) {
        scope.acknowledger.add(entry, delivery.epoch);
        return undefined;
      }
      const { certain } = scope.acknowledger;
      const written = certain ? certain.then(() => scope.broker.commit(commit)) : scope.broker.commit(commit);
      return written.then((result) => {
        if (result.status === 'committed' || result.guard === 'input') return 'settled';
        if (result.guard === 'lease') return 'lease-lost';
        if (result.guard === 'command') return settle(scope, delivery, []).catch(otherwise);
        if (scope.stopping.aborted) return 'abandoned';
        if (conflicts === MAX_CONFLICTS) return otherwise(lostAgain(message, result));
        return slot.take().then(() => this.handle(delivery, message, slot, otherwise, conflicts + 1) ?? 'settled');
      }, otherwise);
    };
    try {
      const settlement = {
        guards: guardsOf(scope, delivery),
        writes: clearRetry(scope, delivery),
        stopping: scope.stopping,
      };
      const commit = decide(scope.broker, message, context, settlement, scope.settings.handlerTimeoutMs);
      return commit instanceof Promise
        ? commit.then((decided) => write(decided) ?? 'settled', otherwise)
        : write(commit);
    } catch (error) {
      return otherwise(error);
    }
  }
}

function lostAgain(
  { handler }: Message,
  { guard, found }: Extract<CommitResult, { status: 'refused' }>,
): ConflictError {
  return new ConflictError(
    guard,
    found,
    `${handler.name} decided ${MAX_CONFLICTS + 1} times, and each time somebody else had changed what it decided on (${guard}: ${found})`,
  );
}
