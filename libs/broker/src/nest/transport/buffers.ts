/** How a Buffer looks in JSON, and how Nest's own transports deliver it. */
const WRITTEN = '"type":"Buffer"';

/**
 * Makes Buffers again of what JSON has made of them. Code that was written for Nest's own transports finds `type` and
 * `data` in them, too.
 *
 * @param text the message as it was written: without a trace of a Buffer there is nothing to look for
 */
export function withBuffers<T>(value: T, text: string): T {
  return text.includes(WRITTEN) ? (revive(value) as T) : value;
}

function revive(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(revive);
  const { type, data } = value as { type?: unknown; data?: unknown };
  if (type === 'Buffer' && Array.isArray(data)) {
    return Object.defineProperties(Buffer.from(data as number[]), { type: { value: type }, data: { value: data } });
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, revive(each)]));
}
