import { parseArgs } from 'node:util';
import { ConfigurationError } from '@millrace/broker';
import type { ContextVerification } from './verify-context.js';

export const USAGE = `millrace-verify --context <context>    whether its chained streams have the events that were appended
    --category <name>      only the streams whose names begin with it and a hyphen
    --stream <name>        only this one
    --key <key>            what the stream was appended with, if that is not the id in its name
    --from <version>       of the stream: what stands before is believed
    --save-heads <file>    writes down where each intact stream ends, to be kept elsewhere
    --heads <file>         the streams must still have what was written down: shows what is gone at their ends
    --archive <folder>     where a FileArchiveStore keeps events that are no longer in Redis
    --redis <url>          default $REDIS_URL or redis://127.0.0.1:6379
    --namespace <name>     default millrace

Names the first wrong event of each broken stream. Reads only. Exits with 1 when a stream is broken, with 2 when that could
not be found out.`;

const OPTIONS = {
  context: { type: 'string' },
  category: { type: 'string' },
  stream: { type: 'string' },
  key: { type: 'string' },
  from: { type: 'string' },
  heads: { type: 'string' },
  'save-heads': { type: 'string' },
  archive: { type: 'string' },
  redis: { type: 'string', default: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' },
  namespace: { type: 'string', default: 'millrace' },
  help: { type: 'boolean' },
} as const;

/** What the words of the command mean. */
export interface VerifyCommand {
  readonly redis: string;
  readonly namespace: string;
  readonly archive: string | undefined;
  readonly wanted: Omit<ContextVerification, 'say' | 'onProgress'>;
}

/**
 * @returns undefined: help is wanted
 * @throws ConfigurationError for words that do not go together, TypeError for those that are not known
 */
export function verifyCommandOf(words: readonly string[]): VerifyCommand | undefined {
  const { values } = parseArgs({ args: [...words], options: OPTIONS });
  if (values.help) return undefined;
  const { context, stream, category, key, from, heads, archive, redis, namespace } = values;
  if (context === undefined) throw new ConfigurationError(`usage:\n${USAGE}`);
  if (stream !== undefined && category !== undefined) {
    throw new ConfigurationError(`--stream and --category: give one of them`);
  }
  if (stream === undefined && (key ?? from) !== undefined) {
    throw new ConfigurationError(`--key and --from are about one stream: say which with --stream`);
  }
  const version = from === undefined ? undefined : versionIn(from);
  const wanted = { context, stream, category, key, from: version, heads, saveHeads: values['save-heads'] };
  return { redis, namespace, archive, wanted };
}

function versionIn(text: string): number {
  const version = /^\d+$/.test(text) ? Number(text) : 0;
  if (version >= 1) return version;
  throw new ConfigurationError(`--from: '${text}' must be a version, 1 or more`);
}
