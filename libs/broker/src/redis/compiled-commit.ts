/** A commit as a script for its shape, and the values for it. A class for the reason of {@link youngList}. */
export class CompiledCommit {
  /**
   * @param shape same shape, same script
   * @param slot commits of different slots cannot share a call; empty where all keys are in one slot anyway
   */
  constructor(
    readonly shape: string,
    readonly keys: readonly string[],
    readonly args: readonly (string | number)[],
    readonly slot = '',
  ) {}
}
