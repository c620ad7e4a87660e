/** A guard or write as Lua: what a script for some shape of commits is put together from. */
export interface Op {
  /** Those with a `counted` number of keys step over them themselves. */
  readonly keys: number | 'counted';
  /** `counted` ops begin with the number of their values and step over them themselves. */
  readonly args: number | 'counted';
  /** Keys and arguments that it shares with others. Default: none. */
  readonly shared?: { readonly keys: number; readonly args: number };
  /** `key(i)` and `arg(i)` stand for its i-th key and argument, those of `shared` for what it shares. */
  lua(key: Place, arg: Place, shared: Places): string;
}

export interface Places {
  readonly key: Place;
  readonly arg: Place;
}

export type Place = (i: number) => string;
