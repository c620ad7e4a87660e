import { randomUUID } from 'node:crypto';
import { Attendance } from './attendance.js';
import type { Broker } from './broker.js';
import { BrokerMonitor } from './broker-monitor.js';
import { CompetingConsumer } from './competing-consumer.js';
import { EveryInstance } from './every-instance.js';
import { GroupConsumer } from './group-consumer.js';
import type { Consumer, ProcessSettings } from './consumer.js';
import { byGroup, groupNamed } from './group-names.js';
import { resolveGroup } from './group-options.js';
import type { GroupSettings } from './group-options.js';
import { alone } from './handler.js';
import type { HandlerGroup, Subscriptions } from './handler.js';
import { keepSchedules } from './keep-schedules.js';
import type { Logger } from './logger.js';
import { silent } from './logger.js';
import { observedFigures } from './observed-figures.js';
import { checkOptionsAmong } from './options/check-options.js';
import { addressOf } from './partition.js';
import type { Partition } from './partition.js';
import { checkKeys, checkPersonalTransforms, handledContracts } from './personal-data/personal-data-checks.js';
import { readPartitions } from './read-partitions.js';
import { Retention } from './retention.js';
import { RelayLoop } from './relay-loop.js';
import { SUBSCRIBER_RULES } from './subscriber-settings.js';
import type { NamedGroupOptions, SubscriberSettings } from './subscriber-settings.js';
import { TimerLoop } from './timer-loop.js';
import { checkTransforms } from './transform-checks.js';

/** Everything a service consumes: one consumer per group, and the timers of its context. */
export class Subscriber {
  private consumers: Consumer[] = [];
  private instances: EveryInstance[] = [];
  /** Those of which one process at a time holds each partition of the own inbox. */
  private readonly inboxConsumers: Consumer[] = [];
  private readonly timers: TimerLoop;
  private readonly attendance: Attendance;
  /** How long messages are kept, and what stands in the way of it. */
  readonly retention: Retention;
  private readonly relay: RelayLoop | undefined;
  private readonly process: ProcessSettings;
  private stopped: Promise<void> | undefined;
  private unobserved: (() => void) | undefined;
  private readonly paused = new Set<HandlerGroup>();

  constructor(
    private readonly broker: Broker,
    private readonly subscriptions: Subscriptions,
    private readonly settings: SubscriberSettings = {},
    private readonly logger: Logger = silent,
  ) {
    checkOptionsAmong(`service '${broker.context}'`, settings, SUBSCRIBER_RULES);
    this.timers = new TimerLoop(broker, () => this.watched(), settings.timerLatencyMs ?? 100, logger);
    this.relay = broker.store.relay && new RelayLoop(broker.store.relay, logger);
    this.process = {
      owner: randomUUID(),
      blockMs: settings.blockMs ?? 1_000,
      leaseTtlMs: settings.leaseTtlMs ?? 10_000,
      drainMs: settings.drainMs ?? 25_000,
    };
    this.attendance = new Attendance(broker.store);
    this.retention = new Retention(broker, settings.retention, this.process.owner, logger);
  }

  /**
   * Declares the context and starts to consume. What was published before is not missed; a new group begins behind events that
   * are in an archive, and says so.
   *
   * @throws ConfigurationError for options and transforms that cannot work, for options of a group that no handler has, and for
   *   personal data without keys
   */
  async start(): Promise<void> {
    const groups = this.prepare();
    await this.broker.declare();
    for (const [group, settings] of groups) {
      const all = { ...this.process, ...settings };
      const Kind = settings.ordering === 'none' ? CompetingConsumer : GroupConsumer;
      const consumer = new Kind(this.broker, group, all, this.logger);
      this.consumers.push(consumer);
      if (settings.ordering !== 'none' && this.readsInbox(group)) this.inboxConsumers.push(consumer);
      if (this.paused.has(group)) consumer.pause();
      await consumer.start();
      for (const follower of consumer.followers) this.attendance.add(...follower);
    }
    for (const handler of this.subscriptions.everyInstance) {
      const settings = resolveGroup(handler.name, this.settings, handler.options ?? {});
      const instance = new EveryInstance(this.broker, handler, { ...this.process, ...settings }, this.logger);
      this.instances.push(instance);
      await instance.start();
    }
    await this.attendance.start();
    await keepSchedules(this.broker, this.subscriptions.schedules, this.settings.undeclaredSchedules, this.logger);
    this.timers.start();
    this.retention.start();
    // A handler's commit is on a partition of its own context, or where its message came from.
    this.relay?.start(await readPartitions(this.broker, this.subscriptions));
    const monitor = new BrokerMonitor(this.broker, this.subscriptions, this.retention);
    this.unobserved = this.broker.telemetry?.observe(async () => observedFigures(await monitor.inspect()));
  }

  /**
   * Resolves the options of all groups and puts their transforms in place, without consuming. Idempotent.
   *
   * @throws ConfigurationError as `start`
   */
  prepare(): ReadonlyMap<HandlerGroup, GroupSettings> {
    const named = byGroup(this.subscriptions, this.settings.groups);
    const settings = new Map<HandlerGroup, GroupSettings>();
    for (const group of this.subscriptions.groups.values()) {
      const options = named.get(group) ?? {};
      settings.set(group, resolveGroup(group.label, this.settings, options, group.options));
      this.placeTransforms(group, options);
    }
    const all = [...settings.keys(), ...this.subscriptions.everyInstance.map(alone)];
    checkTransforms(this.broker.boundary, all);
    checkPersonalTransforms(this.broker, all);
    checkKeys(this.broker, handledContracts(all));
    return settings;
  }

  /** Stops reading, finishes what is being handled, gives the leases back. Idempotent. */
  stop(): Promise<void> {
    return (this.stopped ??= this.drain());
  }

  /**
   * Begins no handler of a group in this process, until it is resumed; what has begun ends. The process keeps its share of the
   * partitions, whose messages wait; other processes go on with theirs, and without an order with all. Holds before `start()`, too, and whatever
   * partitions this process gets meanwhile.
   *
   * @param name as handlers write it, `mailer`, or in full, `order.mailer`; that of the context for handlers without a group
   * @throws ConfigurationError when no handler has this group
   */
  pause(name: string): void {
    const group = groupNamed(this.subscriptions, name);
    this.paused.add(group);
    this.consumerOf(group)?.pause();
  }

  /**
   * Goes on after {@link pause}; does nothing for a group that is not paused.
   *
   * @throws ConfigurationError when no handler has this group
   */
  resume(name: string): void {
    const group = groupNamed(this.subscriptions, name);
    this.paused.delete(group);
    this.consumerOf(group)?.resume();
  }

  /** Addresses (`<context>/<index>`) of the partitions that this process consumes now, by the name of a group on its handlers. */
  get partitions(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.consumers.map(({ group, partitionsHeld }) => [group.label, partitionsHeld]));
  }

  /**
   * The partitions whose timers this process fires: where its service consumes its inbox, those that it holds, so that of
   * all replicas one looks; else all.
   */
  private watched(): readonly Partition[] {
    const { context, partitions } = this.broker;
    const all = Array.from({ length: partitions }, (_, index) => ({ context, index }));
    if (this.inboxConsumers.length === 0) return all;
    const held = new Set(this.inboxConsumers.flatMap((consumer) => consumer.partitionsHeld));
    return all.filter((partition) => held.has(addressOf(partition)));
  }

  private readsInbox(group: HandlerGroup): boolean {
    return group.sources.some(({ context, log }) => context === this.broker.context && log === 'in');
  }

  private consumerOf(group: HandlerGroup): Consumer | undefined {
    return this.consumers.find((consumer) => consumer.group === group);
  }

  /** Messages that transforms have dropped since the start, by the name of the group. */
  get filtered(): ReadonlyMap<string, number> {
    return new Map(Array.from(this.subscriptions.groups.values(), ({ label, filtered }) => [label, filtered]));
  }

  /** Commands that were not handled since the start, because their effect had been undone, by the name of the group. */
  get superseded(): ReadonlyMap<string, number> {
    return new Map(Array.from(this.subscriptions.groups.values(), ({ label, superseded }) => [label, superseded]));
  }

  private placeTransforms(group: HandlerGroup, { inbound = [] }: NamedGroupOptions): void {
    const { boundary, context } = this.broker;
    group.inbound = inbound;
    if (group.isTimed(boundary.inbound)) group.readOwn(context);
  }

  private async drain(): Promise<void> {
    this.unobserved?.();
    const parts = [
      this.timers,
      ...(this.relay ? [this.relay] : []),
      this.retention,
      this.attendance,
      ...this.consumers,
      ...this.instances,
    ];
    await Promise.all(parts.map((part) => part.stop()));
    this.consumers = [];
  }
}
