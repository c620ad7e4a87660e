/** What a script answers for a commit: `[1, position, version, ...]` committed, `[0, guard, found]` refused, `[2, error]` failed. */
export type RawResult = readonly (number | string)[];
