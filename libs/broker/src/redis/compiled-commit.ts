/** A commit as a script for its shape, and the values for it. A class for the reason of {@link youngList}. */
export class CompiledCommit {
  /**
   * @param shape same shape, same script
   * @param keys that are its own
   * @param args that are its own
   * @param shared what other commits of its partition are likely to have, too
   * @param slot commits of different slots cannot share a call; empty where all keys are in one slot anyway
   */
  constructor(
    readonly shape: string,
    readonly keys: readonly string[],
    readonly args: readonly (string | number)[],
    readonly shared: SharedValues = SharedValues.NONE,
    readonly slot = '',
  ) {}

  get allKeys(): readonly string[] {
    return [...this.shared.keys, ...this.keys];
  }
}

/** Keys and arguments that a call says once, for all of its commits that have just the same ones: each costs the server as much as a small command does. */
export class SharedValues {
  static readonly NONE = new SharedValues([], []);

  constructor(
    readonly keys: readonly string[],
    readonly args: readonly (string | number)[],
  ) {}

  equals({ keys, args }: SharedValues): boolean {
    return areSame(this.keys, keys) && areSame(this.args, args);
  }
}

/** By a loop: this is asked for every commit of a call, and nearly always finds the very same strings. */
function areSame<T>(some: readonly T[], others: readonly T[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false;
  return true;
}
