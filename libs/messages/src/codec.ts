import { createHash } from 'node:crypto';
import { parse as secureParse } from 'secure-json-parse';
import type { Envelope } from './envelope.js';
import { MessageError } from './message-error.js';

/** Bounds on one message, checked before it is stored and before it is parsed. */
export interface MessageLimits {
  /** Bytes of the whole message in UTF-8. Default 256 KiB. */
  readonly maxBytes: number;
  /** Nesting of objects and arrays in it. Default 32. */
  readonly maxDepth: number;
  /** Bytes of data that come back from compression or from a claim. Default 16 MiB. */
  readonly maxRestoredBytes?: number;
}

export const DEFAULT_LIMITS: Required<MessageLimits> = {
  maxBytes: 256 * 1024,
  maxDepth: 32,
  maxRestoredBytes: 16 * 1024 * 1024,
};

/** The stream field that holds a whole message as CloudEvents JSON (structured mode). */
export const MESSAGE_FIELD = 'event';

/**
 * A message as it stands in a stream: one JSON document in the CloudEvents JSON format.
 *
 * @throws MessageError `too-large`, `too-deep`, or `not-json` for data JSON cannot hold.
 */
export function encode(message: Envelope, limits: MessageLimits = DEFAULT_LIMITS): string {
  let text: string;
  try {
    text = JSON.stringify(message);
  } catch (cause) {
    throw new MessageError('not-json', `${message.type} cannot be written as JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  checkSize(text, limits, message.type);
  checkDepth(text, limits, message.type);
  return text;
}

/**
 * Reads a stream entry: either the one field Millrace writes, or CloudEvents attributes as fields (binary mode), where
 * `type` and `data` are enough, so that a message can be written by hand:
 * `XADD {millrace:catalog:0}:in * type catalog.reserve-stock data '{"orderId":"..."}'`.
 *
 * @param fields names and values alternating, as Redis returns them
 * @param entryId id of the stream entry; a hand-written message without id gets one derived from it
 * @throws MessageError `not-json`, `forbidden-key`, `too-large`, `too-deep` or `malformed`
 */
export function decode(fields: readonly string[], entryId: string, limits: MessageLimits = DEFAULT_LIMITS): Envelope {
  if (fields[0] === MESSAGE_FIELD && fields.length === 2) {
    return checkEnvelope(parseJson(fields[1]!, limits, 'message'));
  }
  const attributes = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) attributes.set(fields[i]!, fields[i + 1]!);
  const whole = attributes.get(MESSAGE_FIELD);
  if (whole !== undefined) return checkEnvelope(parseJson(whole, limits, 'message'));
  const type = attributes.get('type');
  const data = attributes.get('data');
  if (type === undefined || data === undefined) {
    const found = [...attributes.keys()].join(', ') || 'none';
    throw new MessageError(
      'malformed',
      `the entry needs the fields 'type' and 'data', or '${MESSAGE_FIELD}'; found: ${found}`,
    );
  }
  const { schemaversion, ...rest } = Object.fromEntries([...attributes].filter(([name]) => name !== 'data'));
  return checkEnvelope({
    specversion: '1.0',
    id: idFrom(`${type}:${entryId}`),
    source: '/by-hand',
    ...rest,
    ...(schemaversion === undefined ? {} : { schemaversion: Number(schemaversion) }),
    data: parseJson(data, limits, type),
  });
}

function checkEnvelope(value: unknown): Envelope {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MessageError('malformed', 'the message is JSON, but not an object');
  }
  const message = value as Record<string, unknown>;
  checkRequired('type', message['type']);
  checkRequired('id', message['id']);
  checkRequired('source', message['source']);
  // By what is there rather than by what may be: a message has few of them.
  for (const attribute in message) {
    const found = message[attribute];
    if (typeof found !== 'string' && found !== undefined && OPTIONAL_TEXT.has(attribute)) {
      throw new MessageError('malformed', `CloudEvents attribute '${attribute}' is no text`);
    }
    // All messages that lack a name would share it.
    if (found === '' && NAMES_OF_EFFECTS.has(attribute)) {
      throw new MessageError(
        'malformed',
        `CloudEvents attribute '${attribute}' is empty: name an effect, or leave it out`,
      );
    }
  }
  return message as unknown as Envelope;
}

function checkRequired(attribute: string, found: unknown): void {
  if (typeof found !== 'string' || found === '') {
    throw new MessageError('malformed', `CloudEvents attribute '${attribute}' is missing or no text`);
  }
}

const NAMES_OF_EFFECTS: ReadonlySet<string> = new Set(['effectid', 'undoes']);

const OPTIONAL_TEXT: ReadonlySet<string> = new Set([
  ...NAMES_OF_EFFECTS,
  'subject',
  'partitionkey',
  'correlationid',
  'causationid',
  'actor',
  'tags',
  'replyto',
  'inreplyto',
  'dataref',
  'dataencoding',
  'data_base64',
  'routingslip',
  'expirytime',
  'personaldata',
  'chain',
]);

/**
 * Data that were kept outside of the message, compressed or as a claim.
 *
 * @throws MessageError as {@link decode}; `maxRestoredBytes` is their limit
 */
export function decodeData(text: string, limits: MessageLimits = DEFAULT_LIMITS, what = 'data'): unknown {
  return parseJson(text, { ...limits, maxBytes: limits.maxRestoredBytes ?? DEFAULT_LIMITS.maxRestoredBytes }, what);
}

function parseJson(text: string, limits: MessageLimits, what: string): unknown {
  checkSize(text, limits, what);
  checkDepth(text, limits, what);
  try {
    if (!isSuspicious(text)) return JSON.parse(text) as unknown;
    return secureParse(text, undefined, { protoAction: 'error', constructorAction: 'error' });
  } catch (cause) {
    // secure-json-parse reports both with a SyntaxError; only its own message names the forbidden property.
    const forbidden = (cause as Error).message.includes('forbidden prototype property');
    throw forbidden
      ? new MessageError('forbidden-key', `${what} has a key '__proto__' or 'constructor.prototype'`, { cause })
      : new MessageError('not-json', `${what} is no JSON: ${(cause as Error).message}`, { cause });
  }
}

function checkSize(text: string, limits: MessageLimits, what: string): void {
  // A UTF-16 unit is at most three UTF-8 bytes, so short texts need no counting.
  if (text.length * 3 <= limits.maxBytes) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.maxBytes) {
    throw new MessageError('too-large', `${what} has ${bytes} bytes, the limit is ${limits.maxBytes}`);
  }
}

/** Counts brackets outside of strings, so that a deep document is refused before a parser recurses into it. */
function checkDepth(text: string, limits: MessageLimits, what: string): void {
  // Without more opening brackets than levels, wherever they stand, nothing can be too deep.
  if (opens(text, '{', limits.maxDepth) + opens(text, '[', limits.maxDepth) <= limits.maxDepth) return;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0x22 /* " */) {
      for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c /* \ */) i++;
    } else if (unit === 0x7b /* { */ || unit === 0x5b /* [ */) {
      if (++depth > limits.maxDepth) {
        throw new MessageError('too-deep', `${what} is nested deeper than ${limits.maxDepth}`);
      }
    } else if (unit === 0x7d || unit === 0x5d) depth--;
  }
}

/** How often a bracket occurs, counted up to one more than `enough`. */
function opens(text: string, bracket: string, enough: number): number {
  let count = 0;
  for (let at = text.indexOf(bracket); at >= 0 && count <= enough; at = text.indexOf(bracket, at + 1)) count++;
  return count;
}

/** Only texts with what a forbidden key needs to be written are worth the whole search (three scans beat one regular expression). */
function isSuspicious(text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor') || text.includes('\\u');
}

/** A stable id for a message that came without one: redelivery must not change it. */
function idFrom(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
