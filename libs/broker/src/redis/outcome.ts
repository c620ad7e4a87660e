import type { Appended, CommitResult, Guard } from '../core/commit.js';

/** What has become of a commit. */
export type Outcome = CommitResult | Failure;

/** A write failed inside the script, after the guards. */
export class Failure {
  /** @param text of the server's error */
  constructor(readonly text: string) {}
}

/** Most commits append nothing. */
export const COMMITTED: CommitResult = Object.freeze({ status: 'committed', appended: Object.freeze([]) });

export function appended(position: number, version: number): CommitResult {
  return { status: 'committed', appended: [{ position, version }] };
}

export function refused(guard: Guard['kind'], found: string): CommitResult {
  return { status: 'refused', guard, found };
}

/**
 * The outcomes that a script answers, in one list: lists in a list cost the server more than many a command.
 *
 * @param flat of each commit: `count, position, version, ...` committed, with so many values about its appends;
 *   `-1, guard, found` refused; `-2, error` failed
 */
export function outcomesOf(flat: readonly (number | string)[]): Outcome[] {
  const outcomes: Outcome[] = [];
  for (let i = 0; i < flat.length;) {
    const count = flat[i++] as number;
    if (count === 0) outcomes.push(COMMITTED);
    else if (count === -1) outcomes.push(refused(flat[i++] as Guard['kind'], String(flat[i++])));
    else if (count === -2) outcomes.push(new Failure(String(flat[i++])));
    else {
      const appends: Appended[] = [];
      for (const end = i + count; i < end; i += 2)
        appends.push({ position: Number(flat[i]), version: Number(flat[i + 1]) });
      outcomes.push({ status: 'committed', appended: appends });
    }
  }
  return outcomes;
}
