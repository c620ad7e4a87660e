/**
 * Where a value is something that JSON would not give back as it was: a Map, a Date, an instance of a class, NaN, a bigint,
 * a cycle. Undefined: nowhere. A property that is undefined is left out by JSON, which is the same to who reads it.
 *
 * @param path how errors call the value
 */
export function notPlain(value: unknown, path: string, around: readonly object[] = []): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${path} is ${value}`;
  if (typeof value !== 'object') return `${path} is ${value === undefined ? 'undefined' : `a ${typeof value}`}`;
  if (around.includes(value)) return `${path} contains itself`;
  const inside = [...around, value];
  if (Array.isArray(value)) return first(value, (item, index) => notPlain(item, `${path}[${index}]`, inside));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `${path} is a ${value.constructor.name}`;
  return first(Object.entries(value), ([key, item]) =>
    item === undefined ? undefined : notPlain(item, `${path}.${key}`, inside),
  );
}

function first<T>(items: readonly T[], look: (item: T, index: number) => string | undefined): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = look(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}
