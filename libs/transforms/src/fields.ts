/** The data properties of a message class, without its methods. */
export type Fields<T> = { [K in keyof T as T[K] extends (...args: never[]) => unknown ? never : K]: T[K] };

/** Keeps a mapping from giving what its target does not have: such a property must be `never`. */
export type NoOther<R, T> = { [K in Exclude<keyof R, keyof T>]: never };

type Leaf = string | number | bigint | boolean | symbol | null | undefined | Date | ((...args: never[]) => unknown);
type Value<T> = NonNullable<T>;

/** Paths to every property of a type, through objects and through the items of arrays: `lines.note`. */
export type PathOf<T> = T extends Leaf
  ? never
  : T extends readonly (infer Item)[]
    ? PathOf<Value<Item>>
    : { [K in keyof Fields<T> & string]: K | `${K}.${PathOf<Value<T[K]>>}` }[keyof Fields<T> & string];

/** The type of the value at a path. */
export type ValueAt<T, Path extends string> = T extends readonly (infer Item)[]
  ? ValueAt<Value<Item>, Path>
  : Path extends `${infer Head}.${infer Rest}`
    ? Head extends keyof T
      ? ValueAt<Value<T[Head]>, Rest>
      : never
    : Path extends keyof T
      ? T[Path]
      : never;

/** Paths to what may be left out or replaced by a text. */
export type RedactablePath<T> = {
  [Path in PathOf<T>]: undefined extends ValueAt<T, Path> ? Path : string extends ValueAt<T, Path> ? Path : never;
}[PathOf<T>];
