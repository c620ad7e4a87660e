import type { Commit } from './commit.js';
import { decide } from './decision.js';
import type { Message } from './decision.js';
import type { Delivery, GroupScope, Outcome, Received } from './delivery.js';
import type { Slot } from './dispatcher.js';
import { Perseverance } from './perseverance.js';
import { clearRetry, guardsOf, settle } from './settlement.js';

/**
 * Takes one message to its commit: handle, commit; {@link Perseverance} takes over when that fails. Every path ends in
 * exactly one commit that acknowledges the entry.
 */
export class MessageProcessor {
  private readonly perseverance: Perseverance;

  constructor(private readonly scope: GroupScope) {
    this.perseverance = new Perseverance(scope, (delivery, message, slot) => this.handle(delivery, message, slot));
  }

  /** Handles what was received until it is committed, dead-lettered, or no longer ours. */
  process(delivery: Delivery, received: Received, slot: Slot): Promise<Outcome> {
    if (received.kind !== 'message' || delivery.deliveries > 1 || delivery.retry) {
      return this.perseverance.persevere(delivery, received, slot);
    }
    // The way of nearly all messages, with few promises: each one costs, and more so inside a unit of work.
    return this.handle(delivery, received, slot, (error) =>
      this.perseverance.persevere(delivery, received, slot, { error }),
    );
  }

  /**
   * One run of the handler and its commit; again with fresh state when somebody else changed the same stream meanwhile.
   *
   * @param otherwise what to do when it fails; else the promise rejects
   */
  private handle(
    delivery: Delivery,
    message: Message,
    slot: Slot,
    otherwise: (error: unknown) => Promise<Outcome> = (error) => Promise.reject(error as Error),
  ): Promise<Outcome> {
    const { scope } = this;
    const { entry, retry } = delivery;
    const context = { envelope: message.envelope, entry, attempt: (retry?.attempts ?? 0) + 1 };
    const write = (commit: Commit): Promise<Outcome> => {
      // What is decided only has to be written: the next message can be handled meanwhile, unless it has the same key.
      slot.release();
      return scope.broker.commit(commit).then((result) => {
        if (result.status === 'committed' || result.guard === 'input') return 'settled';
        if (result.guard === 'lease') return 'lease-lost';
        if (result.guard === 'command') return settle(scope, delivery, []).catch(otherwise);
        return scope.stopping.aborted ? 'abandoned' : this.handle(delivery, message, slot, otherwise);
      }, otherwise);
    };
    try {
      const settlement = { guards: guardsOf(scope, delivery), writes: clearRetry(scope, delivery) };
      const commit = decide(scope.broker, message, context, settlement);
      return commit instanceof Promise ? commit.then(write, otherwise) : write(commit);
    } catch (error) {
      return otherwise(error);
    }
  }
}
