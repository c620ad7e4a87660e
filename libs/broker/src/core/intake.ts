import { setMaxListeners } from 'node:events';
import { Acknowledger } from './acknowledger.js';
import { Arrival } from './arrival.js';
import type { Arrivals } from './arrival.js';
import { Batches } from './batches.js';
import type { Broker } from './broker.js';
import type { RetryRecord } from './commit.js';
import type { GroupScope, Outcome, Received } from './delivery.js';
import { Dispatcher } from './dispatcher.js';
import { drained, stoppedAfter } from './draining.js';
import type { GroupSettings } from './group-options.js';
import type { HandlerGroup } from './handler.js';
import type { Logger } from './logger.js';
import { MessageProcessor } from './message-processor.js';
import { MessageReader } from './message-reader.js';
import { ParkedKeys } from './parked-keys.js';
import { addressOf, ownerOf } from './partition.js';
import type { Entry, Source } from './partition.js';
import type { Acknowledgement } from './group-store.js';
import type { Pile } from './pile.js';
import type { Place } from './place.js';
import { RateGate } from './rate-gate.js';
import type { RedeliveryCause } from './telemetry.js';

/** How long reading stands still before it is asked what it waits for, ms. */
const STALL_MS = 200;
/** Of a key that keeps others waiting, so many entries stay in memory. */
const KEPT = 16;
/** Entries, in prefetches, that may wait in the order of their keys without being in memory. */
const UNLOADED = 64;

/** Where one process takes entries of a group in, and what is under way for them. */
export class Intake implements Arrivals {
  readonly scope: GroupScope;
  readonly processor: MessageProcessor;
  private readonly places: ReadonlyMap<string, Place>;
  private readonly messages: MessageReader;
  private readonly dispatcher: Dispatcher;
  private readonly gate: RateGate | undefined;
  private readonly acknowledger: Acknowledger;
  private readonly batches: Batches | undefined;
  private readonly stopping = new AbortController();
  private readonly abandoning = new AbortController();
  private isPaused = false;

  /**
   * @param quieter called whenever something that was under way in a place has ended
   */
  constructor(
    broker: Broker,
    group: HandlerGroup,
    private readonly settings: GroupSettings & { readonly drainMs: number },
    logger: Logger,
    places: readonly Place[],
    private readonly quieter: (place: Place) => void,
  ) {
    // Whatever waits for its time listens to these; Node takes more than ten for a leak.
    setMaxListeners(0, this.stopping.signal, this.abandoning.signal);
    this.places = new Map(places.map((place) => [place.address, place]));
    this.gate = settings.rate && new RateGate(settings.rate);
    this.dispatcher = new Dispatcher(settings.concurrency, this.gate, UNLOADED * settings.prefetch);
    this.messages = new MessageReader(broker, group);
    const stopping = this.stopping.signal;
    const acknowledger = new Acknowledger(broker.store, group.name, logger, stopping, {
      begun: (source) => this.placeOf(source).acknowledging++,
      ended: (source, epoch, held) => this.acknowledged(this.placeOf(source), epoch, held),
    });
    this.acknowledger = acknowledger;
    const abandoning = this.abandoning.signal;
    const parked = settings.onFailure === 'park-key' ? new ParkedKeys(broker, group.name, logger) : undefined;
    this.scope = { broker, group, settings, logger, stopping, abandoning, acknowledger, parked };
    this.processor = new MessageProcessor(this.scope);
    if (group.hasBatches) {
      const mayBegin = () => !this.gate || this.gate.pass() === 0;
      this.batches = new Batches(this.scope, this.dispatcher, mayBegin, (arrival, outcome) =>
        this.ended(arrival, outcome),
      );
    }
  }

  /** Whether handlers are begun, and entries to be read. */
  get paused(): boolean {
    return this.isPaused;
  }

  /** Begins no handler until it is resumed. */
  pause(): void {
    this.isPaused = true;
    this.dispatcher.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.dispatcher.resume();
  }

  /** This process's share of the rate of the group. */
  setShare(share: number): void {
    this.gate?.setShare(share);
  }

  placeOf({ partition }: Source): Place {
    return this.places.get(addressOf(partition))!;
  }

  read(entry: Entry): Received {
    return this.messages.read(entry);
  }

  /**
   * Has an entry handled when its turn comes; does nothing for one that is under way already.
   *
   * @param epoch under which the entry was read, even if the lease has changed since
   * @param cause why it comes again, if it does
   */
  take(
    place: Place,
    entry: Entry,
    epoch: number | undefined,
    deliveries: number,
    retry: RetryRecord | undefined,
    cause: RedeliveryCause,
  ): void {
    // Who leaves begins nothing more; the next holder finds it pending.
    if (place.leaving) return;
    const name = nameOf(entry);
    if (place.inFlight.has(name)) return;
    const received = this.messages.read(entry);
    if (deliveries > 1) {
      const type = received.kind === 'message' ? received.envelope.type : undefined;
      if (received.kind !== 'irrelevant')
        this.scope.broker.telemetry?.redelivered({ type, group: this.scope.group.name, cause });
    }
    const key = this.laneOf(place, entry, received);
    const fresh = deliveries === 1 && !retry && place.epoch === epoch && this.mayBegin(received, key);
    const ahead = fresh ? this.processor.tryAtOnce(entry, epoch, received) : undefined;
    if (ahead === true) return;
    const arrival = new Arrival(this, place, name, entry, received, epoch, deliveries, retry, key, ahead);
    place.inFlight.set(name, arrival);
    if (this.batches) this.batches.add(arrival);
    else this.dispatcher.add(arrival);
  }

  /** What no handler takes need not wait for those that have one. */
  private mayBegin(received: Received, key: string): boolean {
    if (received.kind === 'irrelevant') return this.dispatcher.isOpen;
    return !this.batches && this.dispatcher.isFree(key);
  }

  /**
   * Takes in what has come for the first time. Entries come log by log, so the place is looked up once for each.
   *
   * @param epochs of the places, under which it was read
   */
  takeAll(entries: readonly Entry[], epochs: ReadonlyMap<Place, number | undefined>): void {
    let source: Source | undefined;
    let place: Place | undefined;
    let epoch: number | undefined;
    for (const entry of entries) {
      if (entry.source !== source) {
        source = entry.source;
        place = this.placeOf(source);
        epoch = epochs.get(place);
      }
      this.take(place!, entry, epoch, 1, undefined, 'reconnect');
    }
  }

  /** What is handled one after the other has the same. */
  private laneOf({ address }: Place, { source, id }: Entry, { key }: Received): string {
    const { ordering } = this.settings;
    if (ordering === 'key') return key;
    return ordering === 'partition' ? address : `${address}/${source.log}/${id}`;
  }

  settled(arrival: Arrival, outcome: Outcome): void {
    this.ended(arrival, outcome);
    this.batches?.left(arrival);
  }

  private ended({ place, name, epoch }: Arrival, outcome: Outcome): void {
    place.inFlight.delete(name);
    if (outcome === 'lease-lost') this.lost(place, epoch);
    if (place.leaving) this.quieter(place);
  }

  /** Drops what has not begun in a place that is to be left. */
  discard(place: Place): void {
    this.batches?.discard(place);
    this.dispatcher.discard((work) => (work as Arrival | Pile).place === place);
  }

  /** Drops what has not begun, so that other processes can have it. */
  discardWaiting(): void {
    this.batches?.discard();
    this.dispatcher.discard((work) => !(work as Arrival).begun);
  }

  /** Ids of a log that have been taken in and are not settled, nor their acknowledgement answered for. */
  underWay(place: Place, source: Source): ReadonlySet<string> {
    const ids = new Set(this.waitingFor(source).flatMap(({ ids }) => ids));
    for (const { entry } of place.inFlight.values()) if (entry.source.log === source.log) ids.add(entry.id);
    return ids;
  }

  /** What has been handed in for acknowledgement and not answered for. */
  waitingFor(source: Source): readonly Acknowledgement[] {
    return this.acknowledger.waitingFor(source);
  }

  /** Entries that may come until there is no room. */
  get vacancies(): number {
    return this.settings.prefetch - this.dispatcher.size - this.acknowledger.size;
  }

  /** Whether so many entries more leave room for others. */
  isRoomy(more: number): boolean {
    const { prefetch, prefetchBytes } = this.settings;
    const { size = 0, bytes = 0 } = this.batches ?? {};
    const room = prefetch - this.acknowledger.size - size - more;
    return this.dispatcher.hasRoom(room, prefetchBytes - bytes) && !this.isPaused;
  }

  /**
   * Waits until there is room for more entries. Entries that wait for one of their own key do not keep others out, while
   * handlers have nothing to do: they are unloaded, and read again one by one when their turn comes.
   */
  async room(): Promise<void> {
    const { prefetch, prefetchBytes } = this.settings;
    while (!this.dispatcher.hasRoom(prefetch, prefetchBytes) && !this.stopping.signal.aborted) {
      await this.dispatcher.below(prefetch, prefetchBytes, STALL_MS);
      if (!this.dispatcher.hasRoom(prefetch, prefetchBytes)) this.unload();
    }
    await this.batches?.below(prefetch, prefetchBytes);
    await this.acknowledger.below(prefetch);
  }

  /** Unloads what waits behind others of its key, if that is what keeps the handlers waiting. */
  unload(): void {
    if (this.dispatcher.isHungry) this.dispatcher.unload(KEPT);
  }

  /** From now on nothing is begun, and waits end. */
  close(): void {
    this.stopping.abort();
    this.batches?.close();
  }

  /** Finishes what has begun, or gives it up when that takes too long. What had not begun stays pending. */
  async stop(): Promise<void> {
    const done = this.dispatcher.stop().then(() => this.acknowledger.below(1));
    await drained(done, this.settings.drainMs, () => this.giveUp());
  }

  private acknowledged(place: Place, epoch: number | undefined, held: boolean | undefined): void {
    place.acknowledging--;
    if (held === false) this.lost(place, epoch);
    if (place.leaving) this.quieter(place);
  }

  /** The lease is another's, or ours again under a new epoch: then what was refused is still pending and taken up anew. */
  private lost(place: Place, epoch: number | undefined): void {
    if (place.epoch === epoch) place.drop();
    else place.recovered = false;
  }

  /** Stops waiting for handlers that run on: a service that stops must end. */
  private giveUp(): void {
    const { group, logger } = this.scope;
    const begun = [...this.places.values()]
      .flatMap(({ inFlight }) => [...inFlight.values()])
      .filter(({ begun }) => begun);
    const names = begun.map(({ entry, received }) => {
      const what = received.kind === 'message' ? `${received.handler.name} with ` : '';
      return `${what}${addressOf(entry.source.partition)}/${entry.source.log} ${entry.id}`;
    });
    logger.error(
      `${group.name}: ${begun.length} handlers still run ${this.settings.drainMs} ms after the service was stopped (drainMs) ` +
        `and are abandoned; their messages stay pending for the next start: ${names.join(', ')}`,
    );
    this.abandoning.abort(stoppedAfter(this.settings.drainMs));
  }
}

/** Ids of a feed begin with 0-, those of an inbox with a time: one set serves both, and the own log by its name. */
function nameOf({ source, id }: Entry): string {
  return ownerOf(source.log) === undefined ? id : `own ${id}`;
}
