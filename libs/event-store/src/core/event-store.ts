import { addressOf, ConfigurationError, UnitOfWork } from '@millrace/broker';
import type { Broker, ExpectedVersion, Guard, Partition } from '@millrace/broker';
import type { MessageClass } from '@millrace/messages';
import { checkCondition } from './append-options.js';
import type {
  AppendAllResult,
  AppendCondition,
  AppendedTo,
  AppendIfResult,
  AppendOptions,
  AppendResult,
  EventOptions,
  StreamAppend,
} from './append-options.js';
import type { ChainRule } from './chain/chain-rule.js';
import { ChainStage } from './chain/chain-stage.js';
import type { StreamIntegrity } from './chain/stream-integrity.js';
import { verifyStream } from './chain/verify-stream.js';
import type { VerifyOptions } from './chain/verify-stream.js';
import { verifyStreams } from './chain/verify-streams.js';
import type { VerifyAllOptions } from './chain/verify-streams.js';
import { partitionsIn, readCategory, readFeed, readStream, readTagged } from './event-reading.js';
import type { OpenEvent } from './event-reading.js';
import { EventTypes } from './event-types.js';
import { appendAmong, appendsInPlace, firstAppends } from './first-append.js';
import { foldLive } from './live.js';
import type { FoldOptions, FoldSource, IndexFoldOptions, LiveState, LiveStreamState, LiveView } from './live.js';
import { onceGuard, prepare, versionGuards } from './prepared-append.js';
import type { PreparedAppend } from './prepared-append.js';
import type { IndexReadOptions, ReadOptions } from './reading.js';
import { recorded } from './recorded-event.js';
import type { RecordedEvent } from './recorded-event.js';
import { stageAppends } from './staged-appends.js';
import { identify } from './stream-name.js';
import type { StreamName } from './stream-name.js';

export interface EventStoreOptions {
  /**
   * Streams whose events carry a hash chain, so that a changed, removed, inserted or moved event is noticed by
   * {@link EventStore.verify}. Whoever appends to them in this process chains them: aggregates, too. Default: none, but those of
   * aggregates that say so.
   */
  readonly chain?: ChainRule;
}

/**
 * The events of a context: appended to streams, read by stream, tag, category and feed.
 *
 * Outside of handlers an append is committed at once. Within one it becomes part of the handler's commit, and what is read is
 * what was committed before.
 *
 * @example
 * const events = new EventStore(broker, [AccountOpened, Deposited]);
 * await events.append('account-7', [new AccountOpened()], { expected: 'none' });
 * for await (const { version, data } of events.read('account-7')) console.log(version, data);
 */
export class EventStore {
  private readonly types = new EventTypes();

  private readonly open: OpenEvent<RecordedEvent> = (entry, stream, version) =>
    recorded(this.broker, this.types, entry, stream, version);

  /** @param events the classes of all events that are appended or read */
  constructor(
    private readonly broker: Broker,
    events: readonly MessageClass[] = [],
    { chain }: EventStoreOptions = {},
  ) {
    this.declare(events);
    if (chain !== undefined) this.chain(chain);
  }

  /** Adds classes of events. @throws ConfigurationError for what is no event, and for a second class of one type */
  declare(events: readonly MessageClass[]): void {
    this.types.add(events);
  }

  /** Adds classes that aggregates and projections use, where their types have not been declared. */
  imply(events: readonly MessageClass[]): void {
    this.types.imply(events);
  }

  /** Chains streams from now on, beside those that are chained already. @throws ConfigurationError for what is no rule */
  chain(rule: ChainRule): void {
    ChainStage.of(this.broker).rules.add(rule);
  }

  /**
   * Appends events to a stream if it is as expected.
   *
   * @throws ConfigurationError, MessageError for what cannot be appended; then nothing is
   * @throws UnknownOutcomeError when the reply was lost of an append with neither ids nor an expected version
   */
  async append(stream: StreamName, events: readonly object[], options: AppendOptions = {}): Promise<AppendResult> {
    const preparing = prepare(this.broker, this.types, identify(stream), events, options);
    const result = await this.commit([preparing instanceof Promise ? await preparing : preparing]);
    if (result.status === 'appended') return appendedTo(result.appended[0]!);
    if (result.status === 'staged') return result;
    return { status: 'conflict', expected: result.expected, actual: result.actual };
  }

  /** Appends to several streams of one partition, all or none. Give them the same `key` where there are several partitions. */
  async appendAll(appends: readonly StreamAppend[]): Promise<AppendAllResult> {
    const preparing = appends.map(async (append) =>
      prepare(this.broker, this.types, identify(append.stream), append.events, append),
    );
    return this.commit(await Promise.all(preparing));
  }

  private async commit(prepared: readonly PreparedAppend[]): Promise<AppendAllResult> {
    const { broker } = this;
    const partition = onePartition(prepared);
    const guard = onceGuard(prepared, broker.dedupeWindowMs);
    if (guard && prepared.some(({ ids }) => !ids))
      throw new ConfigurationError(`ids: give them to all appends or none`);
    const once = guard ? [guard] : [];
    const unit = UnitOfWork.current(broker);
    if (unit) {
      const known = guard && (await broker.store.readCommand(partition, guard.id));
      if (known !== undefined) return { status: 'appended', appended: await firstAppends(broker, prepared, known) };
      const mismatch = await stageAppends(broker, unit, prepared, once);
      return mismatch ? { status: 'conflict', ...mismatch } : { status: 'staged' };
    }
    const guards = versionGuards(prepared);
    const writes = prepared.map(({ write }) => write);
    const result = await broker.commit({ partition, guards: [...once, ...guards], writes });
    if (result.status === 'committed') return { status: 'appended', appended: placesOf(prepared, result.appended) };
    if (result.guard === 'command') {
      return { status: 'appended', appended: await firstAppends(broker, prepared, result.found) };
    }
    const before = guard && (await appendsInPlace(broker, prepared));
    if (before) return { status: 'appended', appended: before };
    return { status: 'conflict', ...(await this.mismatch(prepared, Number(result.found))) };
  }

  /**
   * Appends events if nothing has happened that the decision has not seen: a dynamic consistency boundary
   * (https://dcb.events). It lies in one partition: all events of the query need the same `key`.
   *
   * @example
   * let last = 0;
   * for await (const event of events.readTagged('course:1', { key: 'school' })) last = event.position;
   * await events.appendIf([new Joined()], { query: [{ tags: ['course:1'] }], after: last }, { key: 'school', tags: ['course:1'] });
   */
  async appendIf(
    events: readonly object[],
    condition: AppendCondition,
    { stream, ...options }: EventOptions & { readonly stream?: StreamName } = {},
  ): Promise<AppendIfResult> {
    const { broker } = this;
    checkCondition(condition);
    const identity = stream === undefined ? undefined : identify(stream);
    const append = await prepare(broker, this.types, identity, events, options);
    const { partition, write } = append;
    const tags: Guard = { kind: 'tags', ...condition };
    const guard = onceGuard([append], broker.dedupeWindowMs);
    const unit = UnitOfWork.current(broker);
    const known = unit && guard && (await broker.store.readCommand(partition, guard.id));
    if (known !== undefined) return appendedTo((await firstAppends(broker, [append], known))[0]!);
    const writes = unit ? [] : [write];
    const result = await broker.commit({ partition, guards: guard && !unit ? [guard, tags] : [tags], writes });
    if (result.status === 'refused') {
      if (result.guard === 'command') {
        return appendedTo((await firstAppends(broker, [append], result.found))[0]!);
      }
      const before = await appendAmong(broker, append, condition.query, condition.after);
      return before ? appendedTo(before) : { status: 'conflict', position: Number(result.found) };
    }
    if (!unit) return appendedTo(placesOf([append], result.appended)[0]!);
    await stageAppends(broker, unit, [append], guard ? [guard, tags] : [tags]);
    return { status: 'staged' };
  }

  /**
   * The events of one stream.
   *
   * @param options.key what it was appended with, if that was another than the id in its name
   * @throws UnreadableEventError at an event that is damaged, of an unknown type or version, or archived where this service does
   *   not have the archive; `from` leads past it. So do the other readings.
   */
  read(stream: StreamName, options: ReadOptions & { readonly key?: string } = {}): AsyncGenerator<RecordedEvent, void> {
    return readStream(this.broker, stream, options, this.open);
  }

  /** The events with a tag, each partition in its order. */
  readTagged(tag: string, options: IndexReadOptions = {}): AsyncGenerator<RecordedEvent, void> {
    return readTagged(this.broker, tag, options, this.open);
  }

  /** The events of all streams of a category, each partition in its order. */
  readCategory(category: string, options: IndexReadOptions = {}): AsyncGenerator<RecordedEvent, void> {
    return readCategory(this.broker, category, options, this.open);
  }

  /** All events of the context, each partition in its order. */
  readAll(options: IndexReadOptions = {}): AsyncGenerator<RecordedEvent, void> {
    return readFeed(this.broker, options, this.open);
  }

  /**
   * The state that a live view has by the events of a stream, of a tag or of a category.
   *
   * @param options.upTo the state as it was at a position, or at a time
   * @throws UnreadableEventError at an event that is damaged or archived as in {@link read}, or one for the view of a version
   *   that its class does not have
   *
   * @example
   * const { state, version } = await events.fold(balance, 'account-7');
   * const lastYear = await events.fold(balance, { tag: 'customer:ada' }, { upTo: new Date('2025-12-31') });
   */
  fold<State>(view: LiveView<State>, stream: StreamName, options?: FoldOptions): Promise<LiveStreamState<State>>;
  fold<State>(view: LiveView<State>, source: FoldSource, options?: IndexFoldOptions): Promise<LiveState<State>>;
  fold<State>(
    view: LiveView<State>,
    source: StreamName | FoldSource,
    options: FoldOptions & IndexFoldOptions = {},
  ): Promise<LiveState<State>> {
    return foldLive(this.broker, view, source, options);
  }

  /**
   * Whether the events of a stream are those that were appended, as far as they are chained.
   *
   * @param options.key what it was appended with, if that was another than the id in its name
   * @throws ConfigurationError for options that have no meaning
   *
   * @example
   * const verified = await events.verify('account-7');
   * if (verified.status === 'broken') alarm(describeIntegrity(verified));
   */
  verify(
    stream: StreamName,
    { key, ...options }: VerifyOptions & { readonly key?: string } = {},
  ): Promise<StreamIntegrity> {
    const identity = identify(stream);
    const { store } = this.broker;
    return verifyStream(store, this.broker.partitionFor(key ?? identity.key), identity.name, options);
  }

  /**
   * Verifies every stream of the context, or of a category or a partition: one after the other, as they are asked for.
   *
   * @example
   * for await (const verified of events.verifyAll()) if (verified.status === 'broken') alarm(describeIntegrity(verified));
   */
  verifyAll(
    options: VerifyAllOptions & Pick<IndexReadOptions, 'partition' | 'key'> = {},
  ): AsyncGenerator<StreamIntegrity, void> {
    return verifyStreams(this.broker.store, partitionsIn(this.broker, options), options);
  }

  /** Which of several streams is not as expected, since the commit says only what one of them is. */
  private async mismatch(
    appends: readonly PreparedAppend[],
    found: number,
  ): Promise<{ readonly stream: string; readonly expected: ExpectedVersion; readonly actual: number }> {
    const guarded = appends.flatMap(({ partition, stream, expected }) =>
      stream === undefined || expected === undefined ? [] : [{ partition, stream, expected }],
    );
    for (const { partition, stream, expected } of guarded.length > 1 ? guarded : []) {
      const { version } = await this.broker.store.readStream(partition, stream, { limit: 1, backwards: true });
      const holds = expected === 'exists' ? version > 0 : version === (expected === 'none' ? 0 : expected);
      if (!holds) return { stream, expected, actual: version };
    }
    const { stream, expected } = guarded[0]!;
    return { stream, expected, actual: found };
  }
}

function appendedTo({ version, first, position }: AppendedTo): { readonly status: 'appended' } & AppendedTo {
  return { status: 'appended', version, first, position };
}

function onePartition(appends: readonly PreparedAppend[]): Partition {
  const [first] = appends;
  if (!first) throw new ConfigurationError(`nothing to append: give at least one stream with events`);
  const other = appends.find(({ partition }) => partition.index !== first.partition.index);
  if (!other) return first.partition;
  throw new ConfigurationError(
    `streams ${first.stream} and ${other.stream} are in partitions ${addressOf(first.partition)} and ` +
      `${addressOf(other.partition)}, but a commit holds one: give both the same key`,
  );
}

function placesOf(
  appends: readonly PreparedAppend[],
  ends: readonly { readonly position: number; readonly version: number }[],
): readonly AppendedTo[] {
  return appends.map(({ write }, i) => {
    const { position, version } = ends[i]!;
    return { version, first: position - write.events.length + 1, position };
  });
}
