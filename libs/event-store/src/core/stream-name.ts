import { checkName, ConfigurationError } from '@millrace/broker';

/**
 * Which stream: its category and what distinguishes it, or `<category>-<id>` with a category without hyphens. Aggregates
 * called `gift-card` are in `{ category: 'gift-card', id }`.
 */
export type StreamName = string | { readonly category: string; readonly id: string };

export interface StreamIdentity {
  /** As it is stored. */
  readonly name: string;
  readonly category: string | undefined;
  /** Which partition it is in, unless it is said: its id, as for aggregates. */
  readonly key: string;
}

/** @throws ConfigurationError for a name that cannot be used */
export function identify(stream: StreamName): StreamIdentity {
  if (typeof stream === 'object' && stream !== null) {
    const { category, id } = stream;
    if (!isText(category) || !isText(id)) throw new ConfigurationError(`a stream needs a category and an id`);
    checkName(category, 'category');
    return { name: checkName(`${category}-${id}`, 'stream'), category, key: id };
  }
  if (!isText(stream)) throw new ConfigurationError(`stream ${String(stream)} is no text: write '<category>-<id>'`);
  checkName(stream, 'stream');
  const hyphen = stream.indexOf('-');
  if (hyphen <= 0 || hyphen === stream.length - 1) return { name: stream, category: undefined, key: stream };
  return { name: stream, category: stream.slice(0, hyphen), key: stream.slice(hyphen + 1) };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
