import { createHash } from 'node:crypto';
import { ConfigurationError } from '@millrace/broker';
import type { AppendWrite, Broker, ExpectedVersion, Guard, Partition } from '@millrace/broker';
import { attributesOf, checkExpected, checkIds, tagsOf } from './append-options.js';
import type { AppendOptions } from './append-options.js';
import type { EventTypes } from './event-types.js';
import { identify } from './stream-name.js';
import type { StreamName } from './stream-name.js';

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
 * @throws ConfigurationError for what cannot be appended, so that nothing is
 * @throws MessageError for an event that breaks its contract or the limits
 */
export async function prepare(
  broker: Broker,
  types: EventTypes,
  stream: StreamName | undefined,
  events: readonly object[],
  options: AppendOptions,
): Promise<PreparedAppend> {
  const identity = stream === undefined ? undefined : identify(stream);
  const what = identity ? `stream ${identity.name}` : 'events of no stream';
  if (!Array.isArray(events) || events.length === 0) {
    throw new ConfigurationError(`${what}: nothing to append; give at least one event, in a list`);
  }
  const expected = checkExpected(options.expected ?? 'any');
  const ids = checkIds(options.ids, events.length);
  const key = options.key ?? identity?.key ?? (broker.partitions === 1 ? '' : undefined);
  if (key === undefined) throw new ConfigurationError(`${what}: say the key, it decides the partition`);
  const attributes = {
    ...attributesOf(options),
    ...(identity ? { subject: identity.name } : {}),
    ...(key === '' ? {} : { partitionkey: key }),
  };
  const tags = events.map((event) => tagsOf(options, event));
  for (const event of events) types.check(event);
  const encoding = events.map(async (event, i) => {
    const own = tags[i]!.length > 0 ? { tags: tags[i]!.join(' ') } : {};
    const id = ids ? { id: ids[i]! } : {};
    return broker.encode(event, { ...attributes, ...own, ...id });
  });
  const texts = (await Promise.all(encoding)).map(({ text }) => text);
  const category = identity?.category;
  return {
    partition: broker.partitionFor(key),
    stream: identity?.name,
    expected: expected === 'any' ? undefined : expected,
    ids,
    write: {
      kind: 'append',
      events: texts,
      ...(identity ? { stream: identity.name } : {}),
      ...(category === undefined ? {} : { category }),
      ...(tags.some((each) => each.length > 0) ? { tags } : {}),
    },
  };
}

export function versionGuards(appends: readonly PreparedAppend[]): readonly Guard[] {
  return appends.flatMap(({ stream, expected }): Guard[] =>
    stream === undefined || expected === undefined ? [] : [{ kind: 'version', stream, expected }],
  );
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
