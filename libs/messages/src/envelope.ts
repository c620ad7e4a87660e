import { randomUUID } from 'node:crypto';

/**
 * A message on its way: CloudEvents 1.0 attributes, the extensions that Millrace adds, and the data.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
export interface Envelope<T = unknown> {
  readonly specversion: '1.0';
  /** Unique per source. */
  readonly id: string;
  /** The context that wrote it, as a URI reference: `/order`. */
  readonly source: string;
  readonly type: string;
  /** RFC 3339 time of writing. */
  readonly time?: string;
  /** The aggregate stream the event belongs to, or what the message is about. */
  readonly subject?: string;
  /** Messages of one key are handled in order (CloudEvents partitioning extension). */
  readonly partitionkey?: string;
  /** Everything that one request caused shares it. */
  readonly correlationid?: string;
  /** The id of the message that caused this one. */
  readonly causationid?: string;
  /** Who set it off: a user, a job. */
  readonly actor?: string;
  /** On an event: by what else than its stream it is found, separated by spaces. */
  readonly tags?: string;
  /** Where the answer goes: `<context>/<partition>`, or `<context>/<partition>#<instance>` for a process that waits. */
  readonly replyto?: string;
  /** On a reply: the id of the command it answers. */
  readonly inreplyto?: string;
  /** On a reply: whether the command was done. */
  readonly outcome?: 'success' | 'failure';
  /** On a command that can be undone: names its effect, any text. Attempts at one effect share it. */
  readonly effectid?: string;
  /** On a command that undoes an effect: the `effectid` of whatever did it, or may still come to do it. */
  readonly undoes?: string;
  /** On one of several replies to a command: its number, from 1. */
  readonly frame?: number;
  /** RFC 3339 time after which the message is not worth handling (CloudEvents expiry time extension). */
  readonly expirytime?: string;
  /** Schema version of the data; absent means 1. */
  readonly schemaversion?: number;
  /** Where the data are kept instead of here (CloudEvents claim check extension): `claim:<id>`. */
  readonly dataref?: string;
  /** How `data_base64` is compressed: `gzip` or `br`. Then there are no `data` until they have been brought back. */
  readonly dataencoding?: string;
  /** Binary data (CloudEvents JSON format). */
  readonly data_base64?: string;
  /** The contexts that this command still has to visit, separated by commas. */
  readonly routingslip?: string;
  /** Where in the data encrypted personal values stand: JSON Pointers as in URI fragments, separated by spaces. */
  readonly personaldata?: string;
  /** On an event of a chained stream: SHA-256 over the chain value of the event before it, and its own stored text without this. */
  readonly chain?: string;
  /** Personal values cannot be read any more, because the keys of their subjects have been deleted. Never on the wire. */
  readonly [ERASED]?: true;
  /** The keys of its personal values that can be read. Never on the wire. */
  readonly [KEYS]?: readonly SubjectKeyRef[];
  /** The trace it is part of, as W3C defines it (CloudEvents distributed tracing extension). */
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly data: T;
}

/** A symbol, so that nobody can send it. */
export const ERASED: unique symbol = Symbol.for('millrace:erased');

/** A key with which personal values were encrypted: whose it is, and which of all that the person ever had. */
export interface SubjectKeyRef {
  readonly subject: string;
  readonly id: string;
}

/** A symbol, so that nobody can send it. */
export const KEYS: unique symbol = Symbol.for('millrace:subject-keys');

/** The keys of what is readable in a message with personal data; undefined: it has none. */
export function subjectKeysIn(message: Envelope): readonly SubjectKeyRef[] | undefined {
  return message[KEYS];
}

/** Whether personal values of a message that was received cannot be read any more. */
export function isErased(message: Envelope): boolean {
  return message[ERASED] === true;
}

/** What the writer of a message decides; the rest has defaults. */
export type EnvelopeInit<T = unknown> = Omit<Envelope<T>, 'specversion' | 'id' | 'time'> & {
  id?: string;
  time?: string;
};

/**
 * Completes an envelope: a random id (UUIDv4) and the time unless given.
 *
 * @param now the current time, ms since 1970
 */
export function envelope<T>(init: EnvelopeInit<T>, now: number = Date.now()): Envelope<T> {
  return { specversion: '1.0', ...init, id: init.id ?? randomUUID(), time: init.time ?? timestamp(now) };
}

/**
 * The attributes that every message has, to be filled in. What {@link envelope} does, without copying.
 *
 * @param now the current time, ms since 1970
 * @param id default: a new one
 */
export function blankEnvelope(
  source: string,
  type: string,
  now: number,
  id: string = randomUUID(),
): Partial<Mutable<Envelope>> {
  return { specversion: '1.0', id, source, type, time: timestamp(now) };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

let latest = { ms: Number.NaN, text: '' };

/** Messages of the same millisecond share the text. */
function timestamp(ms: number): string {
  if (ms !== latest.ms) latest = { ms, text: new Date(ms).toISOString() };
  return latest.text;
}

/** What identifies the order of a message: its key, else its subject, else its id (no order). */
export function keyOf(message: Envelope): string {
  return message.partitionkey ?? message.subject ?? message.id;
}
