import { setTimeout as sleep } from 'node:timers/promises';
import { Acknowledger } from './acknowledger.js';
import type { Broker } from './broker.js';
import type { RetryRecord } from './commit.js';
import type { Delivery, Outcome } from './delivery.js';
import { Dispatcher } from './dispatcher.js';
import type { GroupFollower } from './follower.js';
import type { GroupSettings } from './group-options.js';
import type { HandlerGroup } from './handler.js';
import { Holdings } from './holdings.js';
import type { Logger } from './logger.js';
import { MessageProcessor } from './message-processor.js';
import { MessageReader } from './message-reader.js';
import { addressOf, ownLog, ownerOf } from './partition.js';
import type { Entry, Partition, Source } from './partition.js';
import type { Reader } from './partition-store.js';
import { Place } from './place.js';

/** How a process consumes, whatever the group. */
export interface ProcessSettings {
  /** Unique per process start. */
  readonly owner: string;
  /** How long one read waits for entries, ms. Default 1000. */
  readonly blockMs: number;
  /** Time to live of a lease, ms; renewed three times as often. Default 10000. */
  readonly leaseTtlMs: number;
  /**
   * How long stopping waits for handlers that run, ms. What has not settled by then stays pending: the next process gets
   * it. Default 25000, within the 30 s that Kubernetes gives.
   */
  readonly drainMs: number;
}

export type ConsumerSettings = ProcessSettings & GroupSettings;

/** What one read gave, and the epochs of the partitions when it began. */
interface ReadEntries {
  readonly entries: readonly Entry[];
  readonly epochs: ReadonlyMap<Place, number>;
}

const RECOVERY_BATCH = 100;
const FAILURE_PAUSE_MS = 200;

/**
 * Consumes the logs of one group: takes leases, takes over what was left pending, reads on, and hands every entry to the
 * processor, one in flight per key.
 */
export class GroupConsumer {
  private readonly dispatcher: Dispatcher;
  private readonly messages: MessageReader;
  private readonly processor: MessageProcessor;
  private readonly acknowledger: Acknowledger;
  private readonly abort = new AbortController();
  private readonly abandon = new AbortController();
  private readonly drained = new AbortController();
  private places = new Map<string, Place>();
  private holdings: Holdings | undefined;
  private reader: Reader | undefined;
  private loops: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly broker: Broker,
    private readonly group: HandlerGroup,
    private readonly settings: ConsumerSettings,
    private readonly logger: Logger,
  ) {
    this.dispatcher = new Dispatcher(settings.concurrency);
    this.messages = new MessageReader(broker, group);
    const stopping = this.abort.signal;
    const acknowledger = new Acknowledger(broker.store, group.name, logger, stopping, {
      begun: (source) => this.placeOf(source).acknowledging++,
      ended: (source, epoch, held) => this.acknowledged(this.placeOf(source), epoch, held),
    });
    this.acknowledger = acknowledger;
    const abandoning = this.abandon.signal;
    this.processor = new MessageProcessor({ broker, group, settings, logger, stopping, abandoning, acknowledger });
  }

  /** Creates the groups, so that nothing published from now on is missed, and starts to consume. */
  async start(): Promise<void> {
    this.places = await this.allPlaces();
    const { store } = this.broker;
    const places = [...this.places.values()];
    for (const source of places.flatMap(({ sources }) => sources)) {
      const { status, missed } = await store.createGroup(source, this.group.name);
      if (status === 'restored') this.reportReturn(source, missed);
    }
    const settings = { ...this.settings, group: this.group.name };
    const holdings = new Holdings(store, places, settings, this.logger, this.abort.signal);
    this.holdings = holdings;
    this.reader = store.openReader();
    await holdings.beat();
    this.loops = Promise.all([this.leaseLoop(holdings), this.readLoop(this.reader, holdings)]);
  }

  /** Stops reading, finishes what is being handled, gives the leases back. What had not begun stays pending. */
  async stop(): Promise<void> {
    if (this.abort.signal.aborted) return;
    this.abort.abort();
    this.holdings?.wake();
    await this.reader?.close();
    const late = pause(this.settings.drainMs, this.drained.signal).then((late) => late && this.giveUp());
    await Promise.race([this.dispatcher.stop().then(() => this.acknowledger.below(1)), late]);
    this.drained.abort();
    await this.loops;
    await this.holdings?.leave();
  }

  /** Stops waiting for handlers that run on: a service that stops must end. */
  private giveUp(): void {
    const begun = [...this.places.values()]
      .flatMap(({ inFlight }) => [...inFlight.values()])
      .filter(({ begun }) => begun);
    const names = begun.map(({ entry, received }) => {
      const what = received.kind === 'message' ? `${received.handler.name} with ` : '';
      return `${what}${addressOf(entry.source.partition)}/${entry.source.log} ${entry.id}`;
    });
    this.logger.error(
      `${this.group.name}: ${begun.length} handlers still run ${this.settings.drainMs} ms after the service was stopped (drainMs) ` +
        `and are abandoned; their messages stay pending for the next start: ${names.join(', ')}`,
    );
    this.abandon.abort(new Error(`the service has stopped, after waiting ${this.settings.drainMs} ms`));
  }

  /** The name of its group as the service writes it. */
  get label(): string {
    return this.group.label;
  }

  /** Its group in each log that it reads, once it has started. */
  get followers(): readonly (readonly [Partition, GroupFollower])[] {
    return [...this.places.values()].flatMap(({ sources }) =>
      sources.map(({ partition, log }) => [partition, { kind: 'group', log, group: this.group.name }] as const),
    );
  }

  /** Addresses of the partitions that this process consumes. */
  get partitionsHeld(): readonly string[] {
    return this.held.map(({ address }) => address);
  }

  private get held(): readonly Place[] {
    return [...this.places.values()].filter(({ held }) => held);
  }

  private reportReturn({ partition, log }: Source, missed: boolean): void {
    const where = `group '${this.group.name}' had expired on ${addressOf(partition)} ${log}`;
    if (missed) this.logger.error(`${where}: it goes on where it was, but entries were removed meanwhile`);
    else this.logger.warn(`${where}: it goes on where it was, nothing is lost`);
  }

  private async allPlaces(): Promise<Map<string, Place>> {
    const sources = new Map<string, { partition: Partition; sources: Source[] }>();
    for (const { context, log } of this.group.sources) {
      const count = await this.broker.partitionsOf(context);
      for (let index = 0; index < count; index++) {
        const partition = { context, index };
        const own = { partition, log: ownLog(this.group.name) };
        const known = sources.get(addressOf(partition)) ?? { partition, sources: [own] };
        known.sources.push({ partition, log });
        sources.set(addressOf(partition), known);
      }
    }
    return new Map([...sources].map(([address, place]) => [address, new Place(place.partition, place.sources)]));
  }

  private async leaseLoop(holdings: Holdings): Promise<void> {
    while (await pause(holdings.beatMs, this.drained.signal)) await holdings.beat();
  }

  private async readLoop(reader: Reader, holdings: Holdings): Promise<void> {
    let ahead: Promise<ReadEntries> | undefined;
    while (!this.abort.signal.aborted) {
      const began = performance.now();
      try {
        const { entries, epochs } = await (ahead ?? this.readWhenReady(reader, holdings));
        for (const place of epochs.keys()) place.reading = false;
        // Redis reads on while these are handled, if there is room for more and nothing else has to be done first.
        const roomy = this.dispatcher.size + this.acknowledger.size + entries.length < this.settings.prefetch;
        ahead = roomy && entries.length > 0 && this.isReady() ? this.read(reader) : undefined;
        // Its failure shows when it is waited for.
        ahead?.catch(() => undefined);
        this.dispatchAll(entries, epochs);
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
        for (const place of this.places.values()) place.reading = false;
      }
    }
  }

  /** A read that waits must have ended before its lease can. */
  private get blockMs(): number {
    return Math.min(this.settings.blockMs, this.settings.leaseTtlMs / 3);
  }

  private isSure(place: Place): boolean {
    return place.until > performance.now() + this.blockMs;
  }

  /** Whether every partition held may be read as it is. */
  private isReady(): boolean {
    let any = false;
    for (const place of this.places.values()) {
      if (!place.held || place.leaving) continue;
      if (!place.recovered || !this.isSure(place)) return false;
      any = true;
    }
    return any;
  }

  /** Waits for room, renews leases and takes up what is pending where that is due, and reads. */
  private async readWhenReady(reader: Reader, holdings: Holdings): Promise<ReadEntries> {
    await this.dispatcher.below(this.settings.prefetch);
    await this.acknowledger.below(this.settings.prefetch);
    if (!this.isReady()) {
      const stays = this.held.filter(({ leaving }) => !leaving);
      if (stays.length === 0) {
        await holdings.changed();
        return NOTHING;
      }
      // After a pause of this process or a lost connection, another one may have the lease.
      if (!stays.every((place) => this.isSure(place))) await holdings.beat();
      for (const place of stays) if (place.held && !place.recovered && this.isSure(place)) await this.recover(place);
    }
    return this.read(reader);
  }

  private async read(reader: Reader): Promise<ReadEntries> {
    const epochs = new Map<Place, number>();
    const sources: Source[] = [];
    for (const place of this.places.values()) {
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
  private async recover(place: Place): Promise<void> {
    const { epoch } = place;
    for (const former of place.inFlight.values()) if (former.epoch !== epoch) return;
    for (const source of place.sources) {
      for (let after = '0'; ;) {
        const waiting = this.acknowledger.waitingFor(source);
        if (waiting.some((acknowledgement) => acknowledgement.epoch !== epoch)) return;
        const done = new Set(waiting.flatMap(({ ids }) => ids));
        const entries = await this.broker.store.readPending(source, this.group.name, after, RECOVERY_BATCH);
        if (place.epoch !== epoch) return;
        for (const { deliveries, retry, ...entry } of entries) {
          if (!done.has(entry.id)) this.dispatch(place, entry, epoch!, deliveries, retry);
        }
        if (entries.length < RECOVERY_BATCH) break;
        after = entries.at(-1)!.id;
      }
    }
    place.recovered = true;
    place.recoveredAt = performance.now();
  }

  /** Entries come log by log, so the place is looked up once for each. */
  private dispatchAll(entries: readonly Entry[], epochs: ReadonlyMap<Place, number>): void {
    let source: Source | undefined;
    let place: Place | undefined;
    let epoch = 0;
    for (const entry of entries) {
      if (entry.source !== source) {
        source = entry.source;
        place = this.placeOf(source);
        epoch = epochs.get(place)!;
      }
      this.dispatch(place!, entry, epoch, 1, undefined);
    }
  }

  private placeOf({ partition }: Source): Place {
    return this.places.get(addressOf(partition))!;
  }

  /** @param epoch under which the entry was read, even if the lease has changed since */
  private dispatch(
    place: Place,
    entry: Entry,
    epoch: number,
    deliveries: number,
    retry: RetryRecord | undefined,
  ): void {
    // Who leaves begins nothing more; the next holder finds it pending.
    if (place.leaving) return;
    const { inFlight } = place;
    // Ids of a feed begin with 0-, those of an inbox with a time: one set serves both, and the own log by its name.
    const name = ownerOf(entry.source.log) === undefined ? entry.id : `own ${entry.id}`;
    if (inFlight.has(name)) return;
    const received = this.messages.read(entry);
    const fresh = deliveries === 1 && !retry && place.epoch === epoch && this.dispatcher.isFree(received.key);
    const begun = fresh ? this.processor.tryAtOnce(entry, epoch, received) : undefined;
    if (begun === true) return;
    const delivery: Delivery = { entry, epoch, retry, deliveries, received, place, begun: false };
    inFlight.set(name, delivery);
    this.dispatcher.add(received.key, (slot) => {
      delivery.begun = true;
      const settled = (outcome: Outcome): void => {
        inFlight.delete(name);
        if (outcome === 'lease-lost') this.lost(place, epoch);
        if (place.leaving) this.holdings!.settle(place);
      };
      // Taken over by another process meanwhile, or about to be: the next holder handles the entry.
      if (place.epoch !== epoch) return void settled('lease-lost');
      if (place.leaving) return void settled('abandoned');
      const work = this.processor.process(delivery, received, slot, begun);
      return work ? work.then(settled) : void settled('settled');
    });
  }

  private acknowledged(place: Place, epoch: number | undefined, held: boolean | undefined): void {
    place.acknowledging--;
    if (held === false) this.lost(place, epoch);
    if (place.leaving) this.holdings!.settle(place);
  }

  /** The lease is another's, or ours again under a new epoch: then what was refused is still pending and taken up anew. */
  private lost(place: Place, epoch: number | undefined): void {
    if (place.epoch === epoch) place.drop();
    else place.recovered = false;
  }
}

const NOTHING: ReadEntries = { entries: [], epochs: new Map() };

/** False when the signal came first. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
