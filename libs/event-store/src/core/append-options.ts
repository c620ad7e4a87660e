import { checkName, ConfigurationError } from '@millrace/broker';
import type { ExpectedVersion, TagQuery } from '@millrace/broker';
import type { EnvelopeInit } from '@millrace/messages';
import type { StreamName } from './stream-name.js';

/** What is known of why and by whom events came about. Default: what the running handler handles is their cause. */
export interface EventMetadata {
  readonly correlationId?: string;
  readonly causationId?: string;
  /** Who did it: a user, a job. Default: who sent the message that is handled. */
  readonly actor?: string;
  /** When it happened. Default: now. */
  readonly time?: Date;
}

export interface EventOptions {
  /**
   * An id for each event. An append with ids is done once: repeated, it writes nothing and answers as the first time, within
   * `dedupeWindowMs` of the broker, and with an expected version or a query for ever. Default: random ids, no protection.
   */
  readonly ids?: readonly string[];
  /** Tags of all events, or of each. Default: none. */
  readonly tags?: readonly string[] | ((event: object) => readonly string[]);
  /** Decides the partition. Default: the id in the stream's name. */
  readonly key?: string;
  readonly metadata?: EventMetadata;
}

export interface AppendOptions extends EventOptions {
  /** How many events the stream must have; `none`, at least one (`exists`), or `any`. Default `any`. */
  readonly expected?: ExpectedVersion | 'any';
}

/** One of several appends that are one commit. */
export interface StreamAppend extends AppendOptions {
  readonly stream: StreamName;
  readonly events: readonly object[];
}

/** What must not have happened since. */
export interface AppendCondition {
  /** Events that the decision depends on: those that match any of these. */
  readonly query: readonly TagQuery[];
  /** Position of the last event that the decision has seen, in the partition of `key`; 0: it has seen none. */
  readonly after: number;
}

/** Where an append ended. */
export interface AppendedTo {
  /** Of the stream afterwards; 0 for events of no stream. */
  readonly version: number;
  /** Of the first and the last event in the feed of the partition. */
  readonly first: number;
  readonly position: number;
}

/** Within a handler: the events become part of the handler's commit, with which they fail or succeed. */
export interface AppendStaged {
  readonly status: 'staged';
}

export type AppendResult =
  | ({ readonly status: 'appended' } & AppendedTo)
  | { readonly status: 'conflict'; readonly expected: ExpectedVersion; readonly actual: number }
  | AppendStaged;

export type AppendAllResult =
  | { readonly status: 'appended'; readonly appended: readonly AppendedTo[] }
  | {
      readonly status: 'conflict';
      readonly stream: string;
      readonly expected: ExpectedVersion;
      readonly actual: number;
    }
  | AppendStaged;

export type AppendIfResult =
  | ({ readonly status: 'appended' } & AppendedTo)
  /** `position`: the newest event that the decision has not seen; less than `after`: the end of the feed, which `after` is not in. */
  | { readonly status: 'conflict'; readonly position: number }
  | AppendStaged;

/** @throws ConfigurationError for a version that no stream can have */
export function checkExpected(expected: unknown): ExpectedVersion | 'any' {
  if (expected === 'none' || expected === 'exists' || expected === 'any') return expected;
  if (typeof expected === 'number' && Number.isSafeInteger(expected) && expected >= 0) return expected;
  const found = typeof expected === 'string' ? `'${expected}'` : String(expected);
  throw new ConfigurationError(`expected: ${found} must be a number of events, 'none', 'exists' or 'any'`);
}

/** @throws ConfigurationError for ids that are not one for each event, or cannot be used */
export function checkIds(ids: readonly string[] | undefined, count: number): readonly string[] | undefined {
  if (ids === undefined) return undefined;
  if (!Array.isArray(ids) || ids.length !== count || new Set(ids).size !== count) {
    throw new ConfigurationError(`ids: ${count} events need as many ids, each another`);
  }
  for (const id of ids) checkName(String(id), 'event id');
  return ids;
}

/** @throws ConfigurationError for what no event could be compared with */
export function checkCondition({ query, after }: AppendCondition): void {
  if (!Number.isSafeInteger(after) || after < 0) {
    throw new ConfigurationError(`after: ${String(after)} must be a position, 0 or more`);
  }
  if (!Array.isArray(query) || query.length === 0) throw new ConfigurationError(`query: needs at least one { tags }`);
  for (const { tags } of query) {
    if (!Array.isArray(tags) || tags.length === 0) throw new ConfigurationError(`query: each needs at least one tag`);
    for (const tag of tags) checkName(String(tag), 'tag');
  }
}

/** @throws ConfigurationError for a tag that cannot be used */
export function tagsOf({ tags }: EventOptions, event: object): readonly string[] {
  if (tags === undefined) return NO_TAGS;
  const own = typeof tags === 'function' ? tags(event) : tags;
  if (!Array.isArray(own)) throw new ConfigurationError(`tags: write a list of texts`);
  return Array.from(new Set(own), (tag) => checkName(String(tag), 'tag'));
}

/** @throws ConfigurationError for a time that is none */
export function attributesOf({ metadata }: EventOptions): Attributes {
  const attributes: Attributes = {};
  if (metadata === undefined) return attributes;
  const { correlationId, causationId, actor, time } = metadata;
  if (time !== undefined && Number.isNaN(Number(time))) throw new ConfigurationError(`metadata.time is no valid Date`);
  if (correlationId !== undefined) attributes.correlationid = correlationId;
  if (causationId !== undefined) attributes.causationid = causationId;
  if (actor !== undefined) attributes.actor = actor;
  if (time !== undefined) attributes.time = time.toISOString();
  return attributes;
}

/** Of the envelope of an event, to be filled in. */
type Attributes = { -readonly [K in keyof EnvelopeInit]?: EnvelopeInit[K] };

const NO_TAGS: readonly string[] = [];
