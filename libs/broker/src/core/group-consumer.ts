import type { Broker } from './broker.js';
import type { Consumer, ConsumerSettings } from './consumer.js';
import { HOLDER } from './consumer-names.js';
import type { GroupFollower } from './follower.js';
import type { HandlerGroup } from './handler.js';
import { Holdings } from './holdings.js';
import { Intake } from './intake.js';
import type { Logger } from './logger.js';
import { openPlaces } from './open-places.js';
import type { Entry, Partition, Source } from './partition.js';
import type { Reader } from './reader.js';
import { pause } from './pause.js';
import type { Place } from './place.js';

/** What one read gave, and the epochs of the partitions when it began. */
interface ReadEntries {
  readonly entries: readonly Entry[];
  readonly epochs: ReadonlyMap<Place, number>;
}

const RECOVERY_BATCH = 100;
const FAILURE_PAUSE_MS = 200;

/**
 * Consumes the logs of one group with one holder per partition: takes leases, takes over what was left pending, reads on,
 * and hands every entry to the intake, one in flight per key.
 */
export class GroupConsumer implements Consumer {
  private readonly abort = new AbortController();
  private readonly drained = new AbortController();
  private places: readonly Place[] = [];
  private holdings: Holdings | undefined;
  private intake: Intake | undefined;
  private reader: Reader | undefined;
  private loops: Promise<unknown> = Promise.resolve();
  private paused = false;

  constructor(
    private readonly broker: Broker,
    readonly group: HandlerGroup,
    private readonly settings: ConsumerSettings,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    const { broker, group, settings, logger } = this;
    this.places = await openPlaces(broker, group, logger);
    const ofGroup = { ...settings, group: group.name };
    const holdings = new Holdings(broker.store, this.places, ofGroup, logger, this.abort.signal, (place) =>
      intake.discard(place),
    );
    const intake = new Intake(broker, group, settings, logger, this.places, (place) => holdings.settle(place));
    if (this.paused) intake.pause();
    this.holdings = holdings;
    this.intake = intake;
    this.reader = broker.store.openReader();
    await this.beat(holdings, intake);
    this.loops = Promise.all([this.leaseLoop(holdings, intake), this.readLoop(this.reader, holdings, intake)]);
  }

  async stop(): Promise<void> {
    if (this.abort.signal.aborted) return;
    this.abort.abort();
    this.intake?.close();
    this.holdings?.wake();
    await this.reader?.close();
    await this.intake?.stop();
    this.drained.abort();
    await this.loops;
    await this.holdings?.leave();
  }

  pause(): void {
    this.paused = true;
    this.intake?.pause();
  }

  resume(): void {
    this.paused = false;
    this.intake?.resume();
    this.holdings?.wake();
  }

  get followers(): readonly (readonly [Partition, GroupFollower])[] {
    return this.places.flatMap(({ sources }) =>
      sources.map(({ partition, log }) => [partition, { kind: 'group', log, group: this.group.name }] as const),
    );
  }

  get partitionsHeld(): readonly string[] {
    return this.held.map(({ address }) => address);
  }

  private get held(): readonly Place[] {
    return this.places.filter(({ held }) => held);
  }

  private async leaseLoop(holdings: Holdings, intake: Intake): Promise<void> {
    while (await pause(holdings.beatMs, this.drained.signal)) await this.beat(holdings, intake);
  }

  private async beat(holdings: Holdings, intake: Intake): Promise<void> {
    await holdings.beat();
    intake.setShare(this.held.length / this.places.length);
  }

  private async readLoop(reader: Reader, holdings: Holdings, intake: Intake): Promise<void> {
    let ahead: Promise<ReadEntries> | undefined;
    while (!this.abort.signal.aborted) {
      const began = performance.now();
      try {
        const { entries, epochs } = await (ahead ?? this.readWhenReady(reader, holdings, intake));
        for (const place of epochs.keys()) place.reading = false;
        // Redis reads on while these are handled, if there is room for more and nothing else has to be done first.
        const roomy = entries.length > 0 && intake.isRoomy(entries.length);
        ahead = roomy && this.isReady() ? this.read(reader) : undefined;
        // Its failure shows when it is waited for.
        ahead?.catch(() => undefined);
        intake.takeAll(entries, epochs);
        for (const place of epochs.keys()) holdings.settle(place);
      } catch (error) {
        if (this.abort.signal.aborted) return;
        ahead = undefined;
        this.logger.warn(`${this.group.name}: ${(error as Error).message}`);
        // A lost reply leaves entries delivered to us that we never saw: look at what is pending before reading on. Who
        // is not connected is taken for dead, so the lease may be another's.
        for (const place of this.held) {
          place.recovered = false;
          place.until = 0;
        }
        // The server may not know yet that nobody waits for its answer, and give entries to nobody until then.
        await pause(Math.max(FAILURE_PAUSE_MS, began + this.blockMs - performance.now()), this.abort.signal);
        for (const place of this.places) place.reading = false;
      }
    }
  }

  /** A read that waits must have ended before its lease can. */
  private get blockMs(): number {
    return Math.floor(Math.min(this.settings.blockMs, this.settings.leaseTtlMs / 3));
  }

  private isSure(place: Place): boolean {
    return place.until > performance.now() + this.blockMs;
  }

  /** Whether every partition held may be read as it is. */
  private isReady(): boolean {
    let any = false;
    for (const place of this.places) {
      if (!place.held || place.leaving) continue;
      if (!place.recovered || !this.isSure(place)) return false;
      any = true;
    }
    return any;
  }

  /** Waits for room, renews leases and takes up what is pending where that is due, and reads. */
  private async readWhenReady(reader: Reader, holdings: Holdings, intake: Intake): Promise<ReadEntries> {
    await intake.room();
    if (intake.paused) {
      await holdings.changed();
      return NOTHING;
    }
    if (!this.isReady()) {
      const stays = this.held.filter(({ leaving }) => !leaving);
      if (stays.length === 0) {
        await holdings.changed();
        return NOTHING;
      }
      // After a pause of this process or a lost connection, another one may have the lease.
      if (!stays.every((place) => this.isSure(place))) await holdings.beat();
      for (const place of stays)
        if (place.held && !place.recovered && this.isSure(place)) await this.recover(place, intake);
    }
    return this.read(reader);
  }

  private async read(reader: Reader): Promise<ReadEntries> {
    const epochs = new Map<Place, number>();
    const sources: Source[] = [];
    for (const place of this.places) {
      if (!place.held || place.leaving || !place.recovered || !this.isSure(place)) continue;
      epochs.set(place, place.epoch!);
      for (const source of place.sources) sources.push(source);
    }
    if (sources.length === 0) {
      await pause(FAILURE_PAUSE_MS, this.abort.signal);
      return NOTHING;
    }
    for (const place of epochs.keys()) place.reading = true;
    // Own logs are nearly always empty, so they have no share.
    const limit = Math.ceil(this.settings.readCount / (sources.length - epochs.size));
    return { entries: await reader.readGroup(this.group.name, sources, limit, this.blockMs), epochs };
  }

  /**
   * Takes up everything delivered and not acknowledged, in order, before anything new of the partition is read. What is
   * still in flight under a former epoch will be refused, so it comes first: else later entries would overtake it.
   */
  private async recover(place: Place, intake: Intake): Promise<void> {
    const { epoch } = place;
    const { name } = this.group;
    const cause = place.recoveredEpoch === epoch ? 'reconnect' : 'takeover';
    for (const former of place.inFlight.values()) if (former.epoch !== epoch) return;
    await intake.scope.parked?.load(place.partition);
    for (const source of place.sources) {
      for (let after = '0'; ;) {
        if (intake.waitingFor(source).some((acknowledgement) => acknowledgement.epoch !== epoch)) return;
        // What is under way now may have been settled when the answer comes.
        const underWay = intake.underWay(place, source);
        // Reading what is pending counts a delivery, and its age from now: what is only under way here is left alone.
        const known =
          underWay.size === 0 ? [] : await this.broker.store.pendingIds(source, name, after, RECOVERY_BATCH);
        if (place.epoch !== epoch) return;
        if (known.length > 0 && known.every((id) => underWay.has(id))) {
          if (known.length < RECOVERY_BATCH) break;
          after = known.at(-1)!;
          continue;
        }
        const entries = await this.broker.store.readPending(source, name, after, RECOVERY_BATCH);
        if (place.epoch !== epoch) return;
        for (const { deliveries, retry, ...entry } of entries) {
          if (!underWay.has(entry.id)) intake.take(place, entry, epoch, deliveries, retry, cause);
        }
        if (!intake.isRoomy(0)) intake.unload();
        if (entries.length < RECOVERY_BATCH) break;
        after = entries.at(-1)!.id;
      }
      if (await this.hasStrays(place, source, intake)) await this.claim(place, source, intake);
      if (place.epoch !== epoch) return;
    }
    place.recovered = true;
    place.recoveredEpoch = epoch;
    place.recoveredAt = performance.now();
  }

  /** Whether anything is pending that is not under way here: another consumer's, now that all of the holder's is. */
  private async hasStrays(place: Place, source: Source, intake: Intake): Promise<boolean> {
    for (let after = '0'; ;) {
      const underWay = intake.underWay(place, source);
      const ids = await this.broker.store.pendingIds(source, this.group.name, after, RECOVERY_BATCH);
      if (ids.some((id) => !underWay.has(id))) return true;
      if (ids.length < RECOVERY_BATCH) return false;
      after = ids.at(-1)!;
    }
  }

  /** Takes over what another consumer has let lie: the group competed for its entries before it had holders. */
  private async claim(place: Place, source: Source, intake: Intake): Promise<void> {
    const { epoch } = place;
    const { leaseTtlMs: idleMs } = this.settings;
    const request = { source, group: this.group.name, consumer: HOLDER, idleMs, limit: RECOVERY_BATCH };
    for (let cursor: string | undefined; cursor !== '0-0';) {
      const underWay = intake.underWay(place, source);
      const claimed = await this.broker.store.claimIdle({ ...request, cursor: cursor ?? '0-0' });
      if (place.epoch !== epoch) return;
      for (const { deliveries, retry, ...entry } of claimed.entries) {
        if (!underWay.has(entry.id)) intake.take(place, entry, epoch, deliveries, retry, 'takeover');
      }
      cursor = claimed.cursor;
    }
  }
}

const NOTHING: ReadEntries = { entries: [], epochs: new Map() };
