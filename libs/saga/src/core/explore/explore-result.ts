import type { SagaStatus } from '../instance.js';
import type { Caller } from '../scenario/wrong.js';
import type { Problem } from './exploration.js';

/** How much of a saga was explored. As a text: all of it in one line. */
export class ExploreResult {
  constructor(
    readonly saga: string,
    /** Different states, modulo times. */
    readonly states: number,
    readonly transitions: number,
    /** Ways from the beginning to an end; undefined: not exhausted, or endlessly many. */
    readonly paths: bigint | undefined,
    /** States with which ways end, by how. `parked` are those that wait for a person. */
    readonly endings: Readonly<Partial<Record<SagaStatus, number>>>,
    /** States that were found, and not gone on from, because there were too many. */
    readonly left: number,
  ) {}

  /** Whether every way was gone to its end. */
  get exhausted(): boolean {
    return this.left === 0;
  }

  toString(): string {
    const { saga, states, transitions, paths, endings, left } = this;
    const ways = paths === undefined ? '' : `, ${paths} ways`;
    const ends = Object.entries(endings).map(([status, count]) => `${count} ${status}`);
    const rest = left === 0 ? '' : `; not exhausted: ${left} states were not gone on from`;
    return `${saga}: ${states} states, ${transitions} transitions${ways}; ${ends.join(', ')}${rest}`;
  }
}

/** Something does not hold in a state that a saga can come to. */
export class BrokenInvariantError extends Error {
  override readonly name = 'BrokenInvariantError';

  constructor(
    readonly saga: string,
    readonly problem: Problem,
    caller: Caller = BrokenInvariantError,
  ) {
    const lines = problem.script.map((line, at) => `  ${at + 1}. ${line}`);
    super(`saga '${saga}' breaks "${problem.invariant}": ${problem.what}\n${lines.join('\n')}`);
    Error.captureStackTrace(this, caller);
  }
}
