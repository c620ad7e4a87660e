import type { Broker } from './broker.js';
import type { Consumer, ConsumerSettings } from './consumer.js';
import { workerName } from './consumer-names.js';
import type { GroupFollower } from './follower.js';
import type { HandlerGroup } from './handler.js';
import { Intake } from './intake.js';
import type { Logger } from './logger.js';
import { openPlaces } from './open-places.js';
import type { Partition, Source } from './partition.js';
import type { Reader } from './reader.js';
import { pause } from './pause.js';
import type { Place } from './place.js';

/** There are no leases on partitions. */
const NO_EPOCHS: ReadonlyMap<Place, undefined> = new Map();
const CLAIM_BATCH = 100;
const FAILURE_PAUSE_MS = 200;
/** Beats between two looks for consumers that are gone. */
const REAP_EVERY = 20;
/** Times to live after which a consumer without pending entries is gone. */
const GONE_AFTER = 10;

/**
 * Consumes all partitions of a group together with other processes, without order: whoever is free takes what comes
 * (Competing Consumers, Hohpe and Woolf). Each has a consumer name of its own, by a number that it holds a lease on; what
 * it works on it extends, and takes over what nobody has extended. One commit per entry by its acknowledgement.
 */
export class CompetingConsumer implements Consumer {
  private readonly abort = new AbortController();
  private readonly drained = new AbortController();
  private places: readonly Place[] = [];
  private intake: Intake | undefined;
  private reader: Reader | undefined;
  private loops: Promise<unknown> = Promise.resolve();
  private slot: { readonly number: number; readonly epoch: number } | undefined;
  /** Own pending entries have been looked at since the last failure. */
  private recovered = false;
  /** Of the number under which it was recovered last. */
  private recoveredEpoch: number | undefined;
  private paused = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly broker: Broker,
    readonly group: HandlerGroup,
    private readonly settings: ConsumerSettings,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    const { broker, group, settings, logger } = this;
    this.places = await openPlaces(broker, group, logger);
    const intake = new Intake(broker, group, settings, logger, this.places, () => undefined);
    if (this.paused) intake.pause();
    this.intake = intake;
    this.reader = broker.store.openReader();
    await this.beat(intake, 0);
    this.loops = Promise.all([this.beatLoop(intake), this.readLoop(this.reader, intake)]);
  }

  async stop(): Promise<void> {
    if (this.abort.signal.aborted) return;
    this.abort.abort();
    this.intake?.close();
    this.wake();
    await this.reader?.close();
    await this.intake?.stop();
    this.drained.abort();
    await this.loops;
    const { store } = this.broker;
    const { home, slot } = this;
    if (!home) return;
    await store.leave(home, this.group.name, this.settings.owner).catch(() => undefined);
    if (slot) await store.releaseLease(home, this.leaseName(slot.number), slot.epoch).catch(() => undefined);
  }

  pause(): void {
    this.paused = true;
    this.intake?.pause();
    // Others may take over what is not extended.
    this.intake?.discardWaiting();
  }

  resume(): void {
    this.paused = false;
    this.recovered = false;
    this.intake?.resume();
    this.wake();
  }

  get followers(): readonly (readonly [Partition, GroupFollower])[] {
    return this.sources.map(
      ({ partition, log }) => [partition, { kind: 'group', log, group: this.group.name }] as const,
    );
  }

  get partitionsHeld(): readonly string[] {
    return this.places.map(({ address }) => address);
  }

  private get sources(): readonly Source[] {
    return this.places.flatMap(({ sources }) => sources);
  }

  /** Where the processes of the group find each other. */
  private get home(): Partition | undefined {
    return this.places[0]?.partition;
  }

  private leaseName(slot: number): string {
    return `${this.group.name}#${slot}`;
  }

  private async beatLoop(intake: Intake): Promise<void> {
    for (let turn = 1; await pause(this.settings.leaseTtlMs / 3, this.drained.signal); turn++)
      await this.beat(intake, turn);
  }

  /** Keeps the own number, extends what is under way, takes over what nobody extends. */
  private async beat(intake: Intake, turn: number): Promise<void> {
    const { store } = this.broker;
    const { owner, leaseTtlMs: ttlMs } = this.settings;
    const group = this.group.name;
    try {
      const members = await store.attend({ partition: this.home!, group, owner, ttlMs });
      intake.setShare(1 / members.length);
      const name = await this.keepNumber();
      for (const place of this.places) {
        for (const source of place.sources) {
          await store.extend(source, group, name, [...intake.underWay(place, source)]);
          if (turn > 0 && !this.abort.signal.aborted) await this.claim(intake, place, source, name);
          if (turn % REAP_EVERY === 1) await store.reapConsumers(source, group, GONE_AFTER * ttlMs);
        }
        await store.savePositions(place.sources, group);
      }
    } catch (error) {
      this.logger.warn(`${group}: ${(error as Error).message}`);
    }
    this.wake();
  }

  /** The consumer name of a number that nobody else has: the same as before, unless this process was away for too long. */
  private async keepNumber(): Promise<string> {
    const { owner, leaseTtlMs: ttlMs } = this.settings;
    for (let number = this.slot?.number ?? 0; ; number++) {
      const request = { partition: this.home!, group: this.leaseName(number), owner, ttlMs };
      const answer = await this.broker.store.acquireLease(request);
      if (!answer.held) {
        // Lower ones may be free by now.
        if (this.slot) number = -1;
        this.slot = undefined;
        continue;
      }
      if (this.slot?.epoch !== answer.epoch) this.recovered = false;
      this.slot = { number, epoch: answer.epoch };
      return workerName(number);
    }
  }

  private async claim(intake: Intake, place: Place, source: Source, consumer: string): Promise<void> {
    const request = { source, group: this.group.name, consumer, idleMs: this.settings.leaseTtlMs, limit: CLAIM_BATCH };
    for (let cursor = '0-0'; intake.isRoomy(0);) {
      const underWay = intake.underWay(place, source);
      const claimed = await this.broker.store.claimIdle({ ...request, cursor });
      for (const { deliveries, retry, ...entry } of claimed.entries) {
        if (!underWay.has(entry.id)) intake.take(place, entry, undefined, deliveries, retry, 'takeover');
      }
      cursor = claimed.cursor;
      if (cursor === '0-0') return;
    }
  }

  private async readLoop(reader: Reader, intake: Intake): Promise<void> {
    while (!this.abort.signal.aborted) {
      try {
        await intake.room();
        if (!this.slot || intake.paused) {
          await this.changed();
          continue;
        }
        const consumer = workerName(this.slot.number);
        if (!this.recovered) await this.recover(intake, consumer);
        const { readCount, blockMs } = this.settings;
        const limit = Math.max(1, Math.ceil(Math.min(readCount, intake.vacancies) / this.sources.length));
        const entries = await reader.readGroup(this.group.name, this.sources, limit, blockMs, consumer);
        if (!intake.paused) intake.takeAll(entries, NO_EPOCHS);
      } catch (error) {
        if (this.abort.signal.aborted) return;
        this.logger.warn(`${this.group.name}: ${(error as Error).message}`);
        // A lost reply leaves entries delivered to us that we never saw.
        this.recovered = false;
        await pause(FAILURE_PAUSE_MS, this.abort.signal);
      }
    }
  }

  /** Takes up what is pending under the own name: what a predecessor left, or a lost reply. */
  private async recover(intake: Intake, consumer: string): Promise<void> {
    this.recovered = true;
    const epoch = this.slot?.epoch;
    const cause = epoch === this.recoveredEpoch ? 'reconnect' : 'takeover';
    this.recoveredEpoch = epoch;
    for (const place of this.places) {
      for (const source of place.sources) {
        for (let after = '0'; ;) {
          const underWay = intake.underWay(place, source);
          const entries = await this.broker.store.readPending(source, this.group.name, after, CLAIM_BATCH, consumer);
          for (const { deliveries, retry, ...entry } of entries) {
            if (!underWay.has(entry.id)) intake.take(place, entry, undefined, deliveries, retry, cause);
          }
          if (entries.length < CLAIM_BATCH) break;
          after = entries.at(-1)!.id;
        }
      }
    }
  }

  /** Resolves at the next beat, or when it is resumed or stopped. */
  private changed(): Promise<void> {
    return this.abort.signal.aborted ? Promise.resolve() : new Promise((resolve) => (this.wake = resolve));
  }
}
