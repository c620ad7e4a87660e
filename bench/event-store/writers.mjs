import { randomBytes } from 'node:crypto';
import { inFlight } from './in-flight.mjs';

/** Appends that a stream gets before its writer begins another one. */
const COMMITS_OF_A_STREAM = 10;

/**
 * Concurrent writers, each of which appends to a stream of its own and knows which version it has. A conflict is a defect.
 *
 * @param append `(stream, expected version, number of the first event) => Promise<boolean>`, whether it was as expected
 */
export function writers({ writers: width, events }, append) {
  const run = randomBytes(4).toString('hex');
  const appended = new Array(width).fill(0);
  return (commits) =>
    inFlight(width, commits, async (n, writer) => {
      const commit = appended[writer]++;
      const stream = `${run}.${writer}.${Math.floor(commit / COMMITS_OF_A_STREAM)}`;
      const expected = (commit % COMMITS_OF_A_STREAM) * events;
      if (!(await append(stream, expected, n * events))) throw new Error(`${stream} is not at version ${expected}`);
    });
}
