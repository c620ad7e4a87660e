import { createHash } from 'node:crypto';
import { ConfigurationError } from '@millrace/broker';
import type { AppendWrite, Broker, Encoded, ExpectedVersion, Guard, Partition } from '@millrace/broker';
import { attributesOf, checkExpected, checkIds, tagsOf } from './append-options.js';
import type { AppendOptions } from './append-options.js';
import type { EventTypes } from './event-types.js';
import type { StreamIdentity } from './stream-name.js';

/** An append whose names, events and options have been checked, ready to be committed. */
export interface PreparedAppend {
  readonly partition: Partition;
  /** Undefined: events of no stream. */
  readonly stream: string | undefined;
  /** Undefined: any. */
  readonly expected: ExpectedVersion | undefined;
  readonly write: AppendWrite;
  /** Those given by the caller. */
  readonly ids: readonly string[] | undefined;
}

/**
 * Few objects and no promise: every append goes this way. A promise only where events hold personal data.
 *
 * @throws ConfigurationError for what cannot be appended, so that nothing is
 * @throws MessageError for an event that breaks its contract or the limits
 */
export function prepare(
  broker: Broker,
  types: EventTypes,
  identity: StreamIdentity | undefined,
  events: readonly object[],
  options: AppendOptions,
): PreparedAppend | Promise<PreparedAppend> {
  const what = identity ? `stream ${identity.name}` : 'events of no stream';
  if (!Array.isArray(events) || events.length === 0) {
    throw new ConfigurationError(`${what}: nothing to append; give at least one event, in a list`);
  }
  const expected = checkExpected(options.expected ?? 'any');
  const ids = checkIds(options.ids, events.length);
  const key = options.key ?? identity?.key ?? (broker.partitions === 1 ? '' : undefined);
  if (key === undefined) throw new ConfigurationError(`${what}: say the key, it decides the partition`);
  const tags = events.map((event) => tagsOf(options, event));
  for (const event of events) types.check(event);
  const prepared = (texts: readonly string[]): PreparedAppend => ({
    partition: broker.partitionFor(key),
    stream: identity?.name,
    expected: expected === 'any' ? undefined : expected,
    ids,
    write: appendOf(identity, texts, tags),
  });
  const attributes = attributesOf(options);
  if (identity) attributes.subject = identity.name;
  if (key !== '') attributes.partitionkey = key;
  const encode = (event: object, i: number): Encoded | Promise<Encoded> => {
    const own = tags[i]!;
    if (!ids && own.length === 0) return broker.messages.encodeRecorded(event, attributes);
    return broker.messages.encodeRecorded(event, {
      ...attributes,
      ...(own.length > 0 ? { tags: own.join(' ') } : {}),
      ...(ids ? { id: ids[i]! } : {}),
    });
  };
  const texts: string[] = [];
  for (let i = 0; i < events.length; i++) {
    const encoded = encode(events[i]!, i);
    if (encoded instanceof Promise)
      return waiting(encoded, events, i, encode).then((all) => prepared([...texts, ...all]));
    texts.push(encoded.text);
  }
  return prepared(texts);
}

/** The texts of the events from the first on that is to be waited for. */
async function waiting(
  first: Promise<Encoded>,
  events: readonly object[],
  at: number,
  encode: (event: object, i: number) => Encoded | Promise<Encoded>,
): Promise<readonly string[]> {
  const others = events.slice(at + 1).map(async (event, i) => encode(event, at + 1 + i));
  return (await Promise.all([first, ...others])).map(({ text }) => text);
}

function appendOf(
  identity: StreamIdentity | undefined,
  events: readonly string[],
  tags: readonly (readonly string[])[],
): AppendWrite {
  const category = identity?.category;
  return {
    kind: 'append',
    events,
    ...(identity ? { stream: identity.name } : {}),
    ...(category === undefined ? {} : { category }),
    ...(tags.some((each) => each.length > 0) ? { tags } : {}),
  };
}

export function versionGuards(appends: readonly PreparedAppend[]): Guard[] {
  const guards: Guard[] = [];
  for (const { stream, expected } of appends) {
    if (stream !== undefined && expected !== undefined) guards.push({ kind: 'version', stream, expected });
  }
  return guards;
}

/** What makes appends with ids happen once: remembered by their first event. */
export function onceGuard(
  appends: readonly PreparedAppend[],
  ttlMs: number,
): Extract<Guard, { kind: 'command' }> | undefined {
  const first = appends.find(({ ids }) => ids);
  if (!first) return undefined;
  const digest = createHash('sha256')
    .update(`${first.stream ?? ''} ${first.ids![0]!}`)
    .digest('base64url');
  return { kind: 'command', id: `append:${digest.slice(0, 22)}`, result: '', ttlMs, withAppended: true };
}
