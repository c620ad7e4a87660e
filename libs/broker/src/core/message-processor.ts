import type { Commit, CommitResult } from './commit.js';
import { atOnce, canBeAtOnce } from './at-once.js';
import { mayHaveToPark } from './dead-lettering.js';
import { decide } from './decision.js';
import type { Begun, Message } from './decision.js';
import type { Delivery, GroupScope, Outcome, Received } from './delivery.js';
import type { Slot } from './work.js';
import { ConflictError } from './errors.js';
import { HandlingContext } from './handling-context.js';
import type { Entry } from './partition.js';
import { Perseverance } from './perseverance.js';
import { cleanUp, guardsOf } from './settlement.js';
import { doubtfulEffect, supersede } from './superseding.js';
import { effectsOf } from './tombstones.js';

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
   * Handles a message that comes for the first time, as far as that goes in this turn.
   *
   * @returns true when it is as good as settled, only its acknowledgement is on the way; else what has been begun, if anything
   */
  tryAtOnce(entry: Entry, epoch: number | undefined, received: Received): true | Begun | undefined {
    if (received.kind === 'message') {
      if (!canBeAtOnce(received) || mayHaveToPark(this.scope, { entry, received })) return undefined;
      const begun = atOnce(this.scope, entry, received);
      if (begun) return begun;
    } else if (received.kind === 'refused') return undefined;
    this.scope.acknowledger.add(entry, epoch);
    return true;
  }

  /**
   * Handles what was received until it is committed, dead-lettered, or no longer ours. Undefined: it has been handled and
   * is as good as settled, only its acknowledgement is on the way.
   *
   * @param begun what has been done at once
   */
  process(delivery: Delivery, received: Received, slot: Slot, begun?: Begun): Promise<Outcome> | undefined {
    if (
      received.kind !== 'message' ||
      delivery.deliveries > 1 ||
      delivery.retry ||
      mayHaveToPark(this.scope, delivery)
    ) {
      return this.perseverance.persevere(delivery, received, slot);
    }
    // The way of nearly all messages, with few promises: each one costs, and more so inside a unit of work.
    const otherwise = (error: unknown): Promise<Outcome> =>
      this.perseverance.persevere(delivery, received, slot, { error });
    return this.handle(delivery, received, slot, otherwise, 0, begun);
  }

  private async tried(delivery: Delivery, message: Message, slot: Slot): Promise<Outcome> {
    const failed = (error: unknown): Promise<Outcome> => Promise.reject(error as Error);
    return (await this.handle(delivery, message, slot, failed)) ?? 'settled';
  }

  /**
   * One run of the handler and its commit; again with fresh state when somebody else changed the same stream meanwhile. None
   * when its effect has been undone.
   *
   * @param otherwise what to do when it fails
   * @param conflicts how often that has happened
   * @param begun the run, when its handler has been called already
   */
  private handle(
    delivery: Delivery,
    message: Message,
    slot: Slot,
    otherwise: (error: unknown) => Promise<Outcome>,
    conflicts = 0,
    begun?: Begun,
  ): Promise<Outcome> | undefined {
    const effect = begun ? undefined : doubtfulEffect(this.scope, delivery, message, conflicts > 0);
    if (effect === undefined) return this.run(delivery, message, slot, otherwise, conflicts, begun);
    const { store } = this.scope.broker;
    return store.readTombstone(delivery.entry.source.partition, effect).then((by) => {
      if (by === undefined) return this.run(delivery, message, slot, otherwise, conflicts) ?? 'settled';
      return supersede(this.scope, delivery, message, by).catch(otherwise);
    }, otherwise);
  }

  private run(
    delivery: Delivery,
    message: Message,
    slot: Slot,
    otherwise: (error: unknown) => Promise<Outcome>,
    conflicts: number,
    begun?: Begun,
  ): Promise<Outcome> | undefined {
    const { scope } = this;
    const { entry, retry } = delivery;
    const attempt = (retry?.attempts ?? 0) + 1;
    const context =
      begun?.context ?? new HandlingContext(message.envelope, entry, attempt, scope.abandoning, conflicts);
    const settlement = {
      guards: guardsOf(scope, delivery),
      writes: cleanUp(scope, delivery),
      stopping: scope.stopping,
    };
    const write = (commit: Commit): Promise<Outcome> | undefined => {
      // What is decided only has to be written: the next message can be handled meanwhile, unless it has the same key.
      slot.release();
      if (commit.writes.length === 0 && commit.guards.length === settlement.guards.length) {
        scope.acknowledger.add(entry, delivery.epoch);
        return undefined;
      }
      const { certain } = scope.acknowledger;
      const written = certain ? certain.then(() => scope.broker.commit(commit)) : scope.broker.commit(commit);
      return written.then((result) => {
        if (result.status === 'committed') {
          const undone = effectsOf(message, entry)?.undoes;
          if (undone !== undefined) scope.broker.undone.add(undone);
          return 'settled';
        }
        if (result.guard === 'input') return 'settled';
        if (result.guard === 'lease') return 'lease-lost';
        if (result.guard === 'tombstone') return supersede(scope, delivery, message, result.found).catch(otherwise);
        if (scope.stopping.aborted) return 'abandoned';
        if (conflicts === MAX_CONFLICTS) return otherwise(lostAgain(message, result));
        return slot.take().then(() => this.handle(delivery, message, slot, otherwise, conflicts + 1) ?? 'settled');
      }, otherwise);
    };
    try {
      const { handlerTimeoutMs } = scope.settings;
      const commit = decide(scope.broker, message, context, settlement, handlerTimeoutMs, begun);
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
