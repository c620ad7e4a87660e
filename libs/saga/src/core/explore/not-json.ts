/** Where in a value something stands that JSON does not keep; undefined: nowhere. */
export function notJson(value: unknown, at = 'state'): string | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : `${at} is ${value}`;
    case 'bigint':
    case 'function':
    case 'symbol':
      return `${at} is a ${typeof value}`;
    case 'object':
      return value === null ? undefined : inObject(value, at);
    default:
      return undefined;
  }
}

function inObject(value: object, at: string): string | undefined {
  for (const type of [Date, Map, Set, RegExp, Promise]) {
    if (value instanceof type) return `${at} is a ${type.name}`;
  }
  for (const [key, each] of Object.entries(value)) {
    if (each === undefined && Array.isArray(value)) return `${at}[${key}] is undefined`;
    const found = notJson(each, Array.isArray(value) ? `${at}[${key}]` : `${at}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
