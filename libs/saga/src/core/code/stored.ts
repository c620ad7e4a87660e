/** What a value is after it was stored as JSON: dates are texts, methods are gone. */
export type Stored<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends void
      ? undefined
      : T extends { toJSON(...args: never[]): infer J }
        ? Stored<J>
        : T extends bigint | symbol | ((...args: never[]) => unknown)
          ? never
          : T extends readonly unknown[]
            ? { [K in keyof T]: Stored<T[K]> }
            : { [K in keyof T as T[K] extends (...args: never[]) => unknown ? never : K]: Stored<T[K]> };

/**
 * A value as it will be read again.
 *
 * @throws TypeError when JSON cannot hold it
 */
export function stored(value: unknown): unknown {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : JSON.parse(text);
}
