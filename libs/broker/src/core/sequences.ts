import type { Arrival } from './arrival.js';
import type { Pile } from './pile.js';

/** Where the messages of one key of one place are, in their order: gathered, then those waiting, then those alone. */
export interface Sequence {
  /** Where its messages gather. */
  pile: Pile | undefined;
  /** In the pile or in its running batch. */
  gathered: number;
  /** To be handled alone, once none is gathered. */
  waiting: Arrival[];
  /** Handed to the dispatcher, one by one. */
  alone: number;
}

/** The sequences that have messages. */
export class Sequences {
  private readonly byName = new Map<string, Sequence>();

  get all(): Iterable<Sequence> {
    return this.byName.values();
  }

  of(arrival: Arrival): Sequence {
    const name = nameOf(arrival);
    let sequence = this.byName.get(name);
    if (!sequence) {
      sequence = { pile: undefined, gathered: 0, waiting: [], alone: 0 };
      this.byName.set(name, sequence);
    }
    return sequence;
  }

  /** Forgets the sequence of this message if it was the last one. */
  forget(arrival: Arrival): void {
    const { gathered, waiting, alone } = this.of(arrival);
    if (gathered === 0 && alone === 0 && waiting.length === 0) this.byName.delete(nameOf(arrival));
  }
}

function nameOf({ place, key }: Arrival): string {
  return `${place.address} ${key}`;
}
