import { ConfigurationError } from '@millrace/broker';

/** When snapshots are taken of an aggregate, so that a long stream loads by its news. */
export interface SnapshotOptions<State> {
  /**
   * Counted up when events mean something else to the state, or it has another form: snapshots of other versions are
   * ignored. Default 1.
   */
  readonly version?: number;
  /** Taken when so many events came since the last one. Default 100, or no number with `when`. */
  readonly every?: number;
  /** Taken when this says so of the state and the number of events since the last snapshot; with `every`: also then. */
  readonly when?: (state: State, since: number) => boolean;
  /**
   * `with-append`: in the commit of the events. `after-append`: in a commit of its own, when the aggregate is next loaded; so
   * the append is as small as without. Default `with-append`.
   */
  readonly write?: 'with-append' | 'after-append';
}

/** Options as a repository needs them. */
export interface SnapshotRule<State> {
  readonly reducer: number;
  readonly afterAppend: boolean;
  isDue(state: State, since: number): boolean;
}

const EVERY = 100;
const NAMES = ['version', 'every', 'when', 'write', 'toSnapshot', 'fromSnapshot'];

/**
 * @param where what has the options, for errors
 * @throws ConfigurationError for a value that cannot work, and for a name that is no option
 */
export function snapshotRule<State>(where: string, options: SnapshotOptions<State>): SnapshotRule<State> {
  const { version = 1, when, every = when ? Infinity : EVERY, write = 'with-append' } = options;
  const wrong = (what: string, value: unknown, allowed: string) =>
    new ConfigurationError(`${where} has snapshot.${what}: ${String(value)}; it must be ${allowed}`);
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new ConfigurationError(`${where} has snapshot.${unknown}, which is no option`);
  if (!isCount(version)) throw wrong('version', version, 'a positive integer');
  if (every !== Infinity && !isCount(every)) throw wrong('every', every, 'a positive integer');
  if (write !== 'with-append' && write !== 'after-append') {
    throw wrong('write', write, `'with-append' or 'after-append'`);
  }
  return {
    reducer: version,
    afterAppend: write === 'after-append',
    isDue: (state, since) => since > 0 && (since >= every || (when?.(state, since) ?? false)),
  };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
