import type { Direction } from './command-id.js';
import type { Happening, SagaInstance } from './instance.js';

/**
 * Entries of the history of an instance that were left where they are stored: nearly no decision depends on them, and reading and
 * writing all of them is half of what it costs. The instance itself holds only what comes after them.
 */
export interface Past {
  /** How many there are. */
  readonly entries: number;
  /** Whether one of them, or something that looks like it, could be counted up. */
  mayHold(path: string, direction: Direction, what: Happening): boolean;
}

/** An instance that may hold only the present. Who keeps instances knows that; a decision sees it by {@link pastOf}. */
export interface PresentInstance<State = unknown> extends SagaInstance<State> {
  /** What comes before its history. */
  readonly past?: Past | undefined;
}

/** A decision depends on the past that was left out: it has to be made again with it. */
export class PastNeeded extends Error {
  override readonly name = 'PastNeeded';
}

/** Undefined: the instance holds its whole history. */
export function pastOf(instance: object): Past | undefined {
  return (instance as PresentInstance).past;
}
