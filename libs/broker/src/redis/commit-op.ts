/** A guard or write as Lua: what a script for some shape of commits is put together from. */
export interface Op {
  /** Those with a `counted` number of keys step over them themselves. */
  readonly keys: number | 'counted';
  /** `counted` ops begin with the number of their values and step over them themselves. */
  readonly args: number | 'counted';
  /** `key(i)` and `arg(i)` stand for its i-th key and argument. */
  lua(key: Place, arg: Place): string;
}

export type Place = (i: number) => string;
