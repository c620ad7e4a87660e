import type { Commit, CommitResult } from './commit.js';
import { decide } from './decision.js';
import type { Begun, Message } from './decision.js';
import type { Decided, DecidedCommits } from './decided-commits.js';
import type { Delivery, GroupScope, Outcome } from './delivery.js';
import { ConflictError } from './errors.js';
import { HandlingContext } from './handling-context.js';
import { cleanUp, guardsOf } from './settlement.js';
import { doubtfulEffect, supersede } from './superseding.js';
import { effectsOf } from './tombstones.js';
import type { Slot } from './work.js';

/** Times in a row that a handler is run again because somebody else was faster; then that is a failed attempt. */
const MAX_CONFLICTS = 10;

/**
 * One run of a handler and its commit; again with fresh state when somebody else changed the same stream meanwhile. None when
 * its effect has been undone.
 *
 * While its commit is on its way it holds little: so many messages are under way at a time that what they hold is most of what
 * garbage collections copy. The message itself is read again where it is needed again.
 */
export abstract class HandlerRun implements Decided {
  private conflicts = 0;
  /** The effect that the message undoes. */
  private undoes: string | undefined;

  constructor(
    protected readonly scope: GroupScope,
    protected readonly delivery: Delivery,
    protected readonly slot: Slot,
    private readonly commits: DecidedCommits,
  ) {}

  /** The message is settled, or no longer ours. */
  protected abstract end(outcome: Outcome): void;

  /** The handler or its commit has failed. */
  abstract fail(error: unknown): void;

  /** @param begun the run, when its handler has been called already */
  begin(message: Message, begun?: Begun): void {
    const { scope, delivery } = this;
    const effect = begun ? undefined : doubtfulEffect(scope, delivery, message, this.conflicts > 0);
    if (effect === undefined) return this.decide(message, begun);
    scope.broker.store.readTombstone(delivery.entry.source.partition, effect).then(
      (by) => (by === undefined ? this.decide(message) : this.supersede(message, by)),
      (error) => this.fail(error),
    );
  }

  private decide(message: Message, begun?: Begun): void {
    const { scope, delivery, conflicts } = this;
    const { entry, retry } = delivery;
    const attempt = (retry?.attempts ?? 0) + 1;
    const context =
      begun?.context ?? new HandlingContext(message.envelope, entry, attempt, scope.abandoning, conflicts);
    const { stopping, settings, broker } = scope;
    const settlement = { guards: guardsOf(scope, delivery), writes: cleanUp(scope, delivery), stopping };
    this.undoes = effectsOf(message, entry)?.undoes;
    try {
      const commit = decide(broker, message, context, settlement, settings.handlerTimeoutMs, begun);
      if (commit instanceof Promise) this.await(commit, settlement.guards.length);
      else this.write(commit, settlement.guards.length);
    } catch (error) {
      this.fail(error);
    }
  }

  private await(commit: Promise<Commit>, own: number): void {
    commit.then(
      (decided) => this.write(decided, own),
      (error) => this.fail(error),
    );
  }

  /** @param own how many of the guards settle the entry */
  private write(commit: Commit, own: number): void {
    const { scope, delivery } = this;
    // What is decided only has to be written: the next message can be handled meanwhile, unless it has the same key.
    this.slot.release();
    if (commit.writes.length === 0 && commit.guards.length === own) {
      scope.acknowledger.add(delivery.entry, delivery.epoch);
      return this.end('settled');
    }
    delivery.forget();
    this.commits.add(commit, this);
  }

  committed(result: CommitResult): void {
    const { scope } = this;
    if (result.status === 'committed') {
      if (this.undoes !== undefined) scope.broker.undone.add(this.undoes);
      return this.end('settled');
    }
    if (result.guard === 'input') return this.end('settled');
    if (result.guard === 'lease') return this.end('lease-lost');
    if (result.guard !== 'tombstone' && scope.stopping.aborted) return this.end('abandoned');
    const { received } = this.delivery;
    if (received.kind !== 'message') return this.fail(new Error('the message reads differently the second time'));
    if (result.guard === 'tombstone') this.supersede(received, result.found);
    else if (this.conflicts === MAX_CONFLICTS) this.fail(lostAgain(received, result));
    else {
      this.conflicts++;
      void this.slot.take().then(() => this.begin(received));
    }
  }

  private supersede(message: Message, by: string): void {
    supersede(this.scope, this.delivery, message, by).then(
      (outcome) => this.end(outcome),
      (error) => this.fail(error),
    );
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
