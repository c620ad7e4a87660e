/** A commit as a script for its shape, and the values for it. */
export interface CompiledCommit {
  /** Same shape, same script. */
  readonly shape: string;
  /** Commits of different slots cannot share a call. Empty where all keys are in one slot anyway. */
  readonly slot: string;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}
