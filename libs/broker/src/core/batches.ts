import type { Arrival } from './arrival.js';
import { canBeAtOnce } from './at-once.js';
import { handleBatch } from './batch-handling.js';
import type { BatchOutcome } from './batch-handling.js';
import type { BatchHandler } from './batch.js';
import { mayHaveToPark } from './dead-lettering.js';
import type { GroupScope, Outcome } from './delivery.js';
import type { Dispatcher } from './dispatcher.js';
import type { HandlerDeclaration } from './handler.js';
import { HandlingContext } from './handling-context.js';
import { Pile } from './pile.js';
import type { Place } from './place.js';
import { Sequences } from './sequences.js';
import type { Sequence } from './sequences.js';
import { UnitOfWork } from './unit-of-work.js';
import type { Slot } from './work.js';

/**
 * Gathers the messages for handlers of batches. One batch runs at a time for each handler and partition. A message that
 * failed, or came before, is handled alone, and those of its key behind it until it is settled: so a key keeps its order,
 * in a batch and beside it.
 */
export class Batches {
  private readonly piles = new Map<string, Pile>();
  private readonly sequences = new Sequences();
  private readonly lane = new Set<Arrival>();
  private held = 0;
  private heldBytes = 0;
  private waiters: (() => void)[] = [];

  /**
   * @param mayBegin whether one more message may begin, by the rate of the group
   * @param settled told of every message that has ended in a batch
   */
  constructor(
    private readonly scope: GroupScope,
    private readonly dispatcher: Dispatcher,
    private readonly mayBegin: () => boolean,
    private readonly settled: (arrival: Arrival, outcome: Outcome) => void,
  ) {}

  /** Messages that are here and not with the dispatcher. */
  get size(): number {
    return this.held;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  add(arrival: Arrival): void {
    const sequence = this.sequences.of(arrival);
    const handler = this.handlerOf(arrival);
    const pile = handler && this.pileOf(arrival.place, handler);
    const inOrder = sequence.alone === 0 && sequence.waiting.length === 0;
    if (pile && inOrder && (sequence.gathered === 0 || sequence.pile === pile)) {
      sequence.pile = pile;
      sequence.gathered++;
      this.hold(arrival);
      pile.add(arrival);
    } else if (sequence.gathered === 0) this.handleAlone(sequence, arrival);
    else {
      sequence.waiting.push(arrival);
      this.hold(arrival);
    }
  }

  /** A message that was handled alone has ended. */
  left(arrival: Arrival): void {
    if (!this.lane.delete(arrival)) return;
    const sequence = this.sequences.of(arrival);
    sequence.alone--;
    this.sequences.forget(arrival);
  }

  /** Resolves when less than that is here. What could still grow is begun as it is. */
  async below(size: number, bytes: number): Promise<void> {
    while ((this.held >= size || this.heldBytes >= bytes) && !this.scope.stopping.aborted) {
      for (const pile of this.piles.values()) pile.flush();
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
  }

  /**
   * Drops what has not begun.
   *
   * @param place that is to be left; without, everywhere
   */
  discard(place?: Place): void {
    for (const pile of this.piles.values()) {
      if (place && pile.place !== place) continue;
      for (const arrival of pile.take(Infinity)) this.end(arrival, 'abandoned');
    }
    for (const sequence of this.sequences.all) {
      if (place && sequence.waiting[0]?.place !== place) continue;
      for (const arrival of sequence.waiting.splice(0)) {
        this.release(arrival);
        this.settled(arrival, 'abandoned');
      }
    }
  }

  /** From now on nothing is begun. */
  close(): void {
    for (const pile of this.piles.values()) pile.close();
    this.wake();
  }

  /** The handler whose batches the message can join. */
  private handlerOf(arrival: Arrival): HandlerDeclaration | undefined {
    const { received, deliveries, retry } = arrival;
    if (received.kind !== 'message' || !received.handler.batch || deliveries > 1 || retry) return undefined;
    return canBeAtOnce(received) && !mayHaveToPark(this.scope, arrival) ? received.handler : undefined;
  }

  private pileOf(place: Place, handler: HandlerDeclaration): Pile {
    const name = `batch ${place.address} ${handler.type} ${handler.name}`;
    let pile = this.piles.get(name);
    if (!pile) {
      const batch = handler.batch as BatchHandler;
      const made: Pile = new Pile(name, place, batch, this.dispatcher, (slot) => this.run(made, handler, slot));
      this.piles.set(name, (pile = made));
    }
    return pile;
  }

  private async run(pile: Pile, handler: HandlerDeclaration, slot: Slot): Promise<void> {
    let allowed = 1;
    while (allowed < pile.ready && this.mayBegin()) allowed++;
    const arrivals: Arrival[] = [];
    const { place } = pile;
    for (const arrival of pile.take(allowed)) {
      // Taken over by another process meanwhile, or about to be: the next holder handles it.
      if (place.epoch !== arrival.epoch) this.end(arrival, 'lease-lost');
      else if (place.leaving) this.end(arrival, 'abandoned');
      else arrivals.push(arrival);
    }
    if (arrivals.length === 0) return;
    for (const arrival of arrivals) arrival.begun = true;
    const outcomes = await handleBatch(this.scope, { handler, arrivals }, slot);
    this.conclude(pile, arrivals, outcomes);
  }

  private conclude(pile: Pile, arrivals: readonly Arrival[], outcomes: readonly BatchOutcome[]): void {
    const alone = new Map<Sequence, Arrival[]>();
    arrivals.forEach((arrival, i) => {
      const outcome = outcomes[i]!;
      if (typeof outcome === 'string') return this.end(arrival, outcome);
      if (outcome.failure) arrival.ahead = failed(this.scope, arrival, outcome.failure);
      arrival.begun = false;
      const sequence = this.sequences.of(arrival);
      const others = alone.get(sequence);
      if (others) others.push(arrival);
      else alone.set(sequence, [arrival]);
    });
    for (const [sequence, first] of alone) {
      const behind = pile.takeIf((arrival) => this.sequences.of(arrival) === sequence);
      sequence.gathered -= first.length + behind.length;
      const all = [...first, ...behind, ...sequence.waiting.splice(0)];
      for (const arrival of all) {
        this.release(arrival);
        this.handleAlone(sequence, arrival);
      }
    }
    this.wake();
  }

  private handleAlone(sequence: Sequence, arrival: Arrival): void {
    sequence.alone++;
    this.lane.add(arrival);
    this.dispatcher.add(arrival);
  }

  /** A gathered message has ended. */
  private end(arrival: Arrival, outcome: Outcome): void {
    const sequence = this.sequences.of(arrival);
    sequence.gathered--;
    this.release(arrival);
    this.settled(arrival, outcome);
    if (sequence.gathered === 0) {
      for (const next of sequence.waiting.splice(0)) {
        this.release(next);
        this.handleAlone(sequence, next);
      }
    }
    this.sequences.forget(arrival);
  }

  private hold({ bytes }: Arrival): void {
    this.held++;
    this.heldBytes += bytes;
  }

  private release({ bytes }: Arrival): void {
    this.held--;
    this.heldBytes -= bytes;
  }

  private wake(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}

/** What has been done for a message that failed in a batch, as if it had been handled alone. */
function failed(scope: GroupScope, { received, entry }: Arrival, failure: { readonly error: unknown }) {
  const envelope = received.kind === 'message' ? received.envelope : undefined;
  const context = new HandlingContext(envelope!, entry, 1, scope.abandoning);
  return { unit: new UnitOfWork(envelope, scope.broker), context, reply: undefined, failure };
}
