import { atOnce, canBeAtOnce } from './at-once.js';
import { mayHaveToPark } from './dead-lettering.js';
import { DecidedCommits } from './decided-commits.js';
import type { Begun, Message } from './decision.js';
import type { Delivery, GroupScope, Outcome, Received } from './delivery.js';
import { HandlerRun } from './handler-run.js';
import type { Entry } from './partition.js';
import { Perseverance } from './perseverance.js';
import type { Failure } from './perseverance.js';
import type { Slot } from './work.js';

/**
 * Takes one message to its commit: handle, commit; {@link Perseverance} takes over when that fails. Every path ends in
 * exactly one commit that acknowledges the entry.
 */
export class MessageProcessor {
  private readonly perseverance: Perseverance;
  private readonly commits: DecidedCommits;

  constructor(private readonly scope: GroupScope) {
    this.perseverance = new Perseverance(scope, (delivery, message, slot) => this.tried(delivery, message, slot));
    this.commits = new DecidedCommits(scope.broker, scope.acknowledger);
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
   * Handles what was received until it is committed, dead-lettered, or no longer ours; then it is {@link Delivery.end ended}.
   *
   * @param begun what has been done at once
   */
  process(delivery: Delivery, slot: Slot, begun?: Begun): void {
    const { received, deliveries, retry } = delivery;
    if (received.kind !== 'message' || deliveries > 1 || retry || mayHaveToPark(this.scope, delivery)) {
      return this.persevere(delivery, slot);
    }
    // The way of nearly all messages, with few promises: each one costs.
    new FirstRun(this.scope, delivery, slot, this.commits, this).begin(received, begun);
  }

  persevere(delivery: Delivery, slot: Slot, failure?: Failure): void {
    void this.perseverance
      .persevere(delivery, delivery.received, slot, failure)
      .then((outcome) => delivery.end(outcome));
  }

  private tried(delivery: Delivery, message: Message, slot: Slot): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      new LaterRun(this.scope, delivery, slot, this.commits, resolve, reject).begin(message);
    });
  }
}

/** When this fails, perseverance begins. */
class FirstRun extends HandlerRun {
  constructor(
    scope: GroupScope,
    delivery: Delivery,
    slot: Slot,
    commits: DecidedCommits,
    private readonly processor: MessageProcessor,
  ) {
    super(scope, delivery, slot, commits);
  }

  protected end(outcome: Outcome): void {
    this.delivery.end(outcome);
  }

  fail(error: unknown): void {
    this.processor.persevere(this.delivery, this.slot, { error });
  }
}

/** One of perseverance's. */
class LaterRun extends HandlerRun {
  constructor(
    scope: GroupScope,
    delivery: Delivery,
    slot: Slot,
    commits: DecidedCommits,
    protected readonly end: (outcome: Outcome) => void,
    readonly fail: (error: unknown) => void,
  ) {
    super(scope, delivery, slot, commits);
  }
}
