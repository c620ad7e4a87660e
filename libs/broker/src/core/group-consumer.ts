import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from './broker.js';
import type { RetryRecord } from './commit.js';
import type { Outcome } from './delivery.js';
import { Dispatcher } from './dispatcher.js';
import type { GroupSettings } from './group-options.js';
import type { HandlerGroup } from './handler.js';
import type { Logger } from './logger.js';
import { MessageProcessor } from './message-processor.js';
import { MessageReader } from './message-reader.js';
import { addressOf, ownLog, ownerOf } from './partition.js';
import type { Entry, Partition, Source } from './partition.js';
import type { Reader } from './partition-store.js';

/** How a process consumes, whatever the group. */
export interface ProcessSettings {
  /** Unique per process start. */
  readonly owner: string;
  /** How long one read waits for entries, ms. Default 1000. */
  readonly blockMs: number;
  /** Time to live of a lease, ms; renewed three times as often. Default 10000. */
  readonly leaseTtlMs: number;
}

export type ConsumerSettings = ProcessSettings & GroupSettings;

/** A partition this process may consume, and the epoch that its commits prove it with. */
interface Held {
  readonly partition: Partition;
  readonly sources: readonly Source[];
  readonly epoch: number;
  /** Until then, in `performance.now()`, nobody else can have the lease, so only until then may be read. */
  until: number;
  /** Pending entries of the previous holder have been taken over, so new ones may be read. */
  recovered: boolean;
}

/** What one read gave, and the epochs of the partitions when it began. */
interface ReadEntries {
  readonly entries: readonly Entry[];
  readonly epochs: ReadonlyMap<string, number>;
}

const RECOVERY_BATCH = 100;
/** Renewals between two looks for entries that a former holder, paused in the middle of a read, took after our look. */
const LOOK_AGAIN = 6;
const FAILURE_PAUSE_MS = 200;

/**
 * Consumes the logs of one group: takes leases, takes over what was left pending, reads on, and hands every entry to the
 * processor, one in flight per key.
 */
export class GroupConsumer {
  private readonly held = new Map<string, Held>();
  private readonly dispatcher: Dispatcher;
  private readonly messages: MessageReader;
  private readonly processor: MessageProcessor;
  /** Per partition: entries dispatched and not settled, with the epoch under which they were read. */
  private readonly inFlight = new Map<string, Map<string, number>>();
  private readonly abort = new AbortController();
  private readonly drained = new AbortController();
  private reader: Reader | undefined;
  private loops: Promise<unknown> = Promise.resolve();
  private wanted: readonly { readonly partition: Partition; readonly sources: readonly Source[] }[] = [];

  constructor(
    private readonly broker: Broker,
    private readonly group: HandlerGroup,
    private readonly settings: ConsumerSettings,
    private readonly logger: Logger,
  ) {
    this.dispatcher = new Dispatcher(settings.concurrency);
    this.messages = new MessageReader(broker, group);
    this.processor = new MessageProcessor({ broker, group, settings, logger, stopping: this.abort.signal });
  }

  /** Creates the groups, so that nothing published from now on is missed, and starts to consume. */
  async start(): Promise<void> {
    this.wanted = await this.partitions();
    for (const { sources } of this.wanted) {
      for (const source of sources) await this.broker.store.createGroup(source, this.group.name);
    }
    this.reader = this.broker.store.openReader();
    await this.takeLeases();
    this.loops = Promise.all([this.leaseLoop(), this.readLoop(this.reader)]);
  }

  /** Stops reading, finishes what is being handled, gives the leases back. What had not begun stays pending. */
  async stop(): Promise<void> {
    if (this.abort.signal.aborted) return;
    this.abort.abort();
    await this.reader?.close();
    await this.dispatcher.stop();
    this.drained.abort();
    await this.loops;
    for (const { partition, epoch } of this.held.values()) {
      await this.broker.store.releaseLease(partition, this.group.name, epoch).catch(() => undefined);
    }
    this.held.clear();
  }

  /** Addresses of the partitions held. */
  get partitionsHeld(): readonly string[] {
    return [...this.held.keys()];
  }

  private async partitions(): Promise<{ partition: Partition; sources: Source[] }[]> {
    const byAddress = new Map<string, { partition: Partition; sources: Source[] }>();
    for (const { context, log } of this.group.sources) {
      const count = await this.broker.partitionsOf(context);
      for (let index = 0; index < count; index++) {
        const partition = { context, index };
        const own = { partition, log: ownLog(this.group.name) };
        const known = byAddress.get(addressOf(partition)) ?? { partition, sources: [own] };
        known.sources.push({ partition, log });
        byAddress.set(addressOf(partition), known);
      }
    }
    return [...byAddress.values()];
  }

  /** Goes on while handlers finish, however long that takes: without the lease their commits would be refused. */
  private async leaseLoop(): Promise<void> {
    for (let turn = 1; await pause(this.settings.leaseTtlMs / 3, this.drained.signal); turn++) {
      await this.takeLeases();
      if (turn % LOOK_AGAIN === 0) for (const held of this.held.values()) held.recovered = false;
    }
  }

  /** Renews what is held and, unless it is stopping, takes what is free. */
  private async takeLeases(): Promise<void> {
    const { owner, leaseTtlMs: ttlMs } = this.settings;
    await Promise.all(
      this.wanted.map(async ({ partition, sources }) => {
        const address = addressOf(partition);
        if (this.abort.signal.aborted && !this.held.has(address)) return;
        try {
          const until = performance.now() + ttlMs;
          const answer = await this.broker.store.acquireLease({ partition, group: this.group.name, owner, ttlMs });
          const held = this.held.get(address);
          if (!answer.held) this.held.delete(address);
          else if (held?.epoch === answer.epoch) held.until = until;
          else this.held.set(address, { partition, sources, epoch: answer.epoch, until, recovered: false });
        } catch (error) {
          this.logger.warn(`${this.group.name}: lease on ${address}: ${(error as Error).message}`);
        }
      }),
    );
  }

  private async readLoop(reader: Reader): Promise<void> {
    let ahead: Promise<ReadEntries> | undefined;
    while (!this.abort.signal.aborted) {
      try {
        const { entries, epochs } = await (ahead ?? this.readWhenReady(reader));
        // Redis reads on while these are handled, if there is room for more and nothing else has to be done first.
        const roomy = this.dispatcher.size + entries.length < this.settings.prefetch;
        ahead = roomy && entries.length > 0 && this.isReady() ? this.read(reader) : undefined;
        // Its failure shows when it is waited for.
        ahead?.catch(() => undefined);
        for (const entry of entries) {
          this.dispatch(entry, epochs.get(addressOf(entry.source.partition))!, 1, undefined);
        }
      } catch (error) {
        if (this.abort.signal.aborted) return;
        ahead = undefined;
        this.logger.warn(`${this.group.name}: ${(error as Error).message}`);
        // A lost reply leaves entries delivered to us that we never saw: look at what is pending before reading on. Who
        // is not connected is taken for dead, so the lease may be another's.
        for (const held of this.held.values()) {
          held.recovered = false;
          held.until = 0;
        }
        await pause(FAILURE_PAUSE_MS, this.abort.signal);
      }
    }
  }

  /** A read that waits must have ended before its lease can. */
  private get blockMs(): number {
    return Math.min(this.settings.blockMs, this.settings.leaseTtlMs / 3);
  }

  private isSure(held: Held): boolean {
    return held.until > performance.now() + this.blockMs;
  }

  /** Whether every partition held may be read as it is. */
  private isReady(): boolean {
    for (const held of this.held.values()) if (!held.recovered || !this.isSure(held)) return false;
    return this.held.size > 0;
  }

  /** Waits for room, renews leases and takes up what is pending where that is due, and reads. */
  private async readWhenReady(reader: Reader): Promise<ReadEntries> {
    await this.dispatcher.below(this.settings.prefetch);
    if (!this.isReady()) {
      // After a pause of this process or a lost connection, another one may have the lease.
      if (this.held.size === 0 || ![...this.held.values()].every((held) => this.isSure(held))) await this.takeLeases();
      for (const held of this.held.values()) if (!held.recovered && this.isSure(held)) await this.recover(held);
    }
    return this.read(reader);
  }

  private async read(reader: Reader): Promise<ReadEntries> {
    const readable = [...this.held.values()].filter((held) => held.recovered && this.isSure(held));
    const epochs = new Map(readable.map(({ partition, epoch }) => [addressOf(partition), epoch]));
    const sources = readable.flatMap((held) => held.sources);
    if (sources.length === 0) {
      await pause(FAILURE_PAUSE_MS, this.abort.signal);
      return { entries: [], epochs };
    }
    // Own logs are nearly always empty, so they have no share.
    const limit = Math.ceil(this.settings.readCount / (sources.length - readable.length));
    return { entries: await reader.readGroup(this.group.name, sources, limit, this.blockMs), epochs };
  }

  /**
   * Takes up everything delivered and not acknowledged, in order, before anything new of the partition is read. What is
   * still in flight under a former epoch will be refused, so it comes first: else later entries would overtake it.
   */
  private async recover(held: Held): Promise<void> {
    const address = addressOf(held.partition);
    for (const epoch of this.inFlight.get(address)?.values() ?? []) if (epoch !== held.epoch) return;
    for (const source of held.sources) {
      for (let after = '0'; ;) {
        const entries = await this.broker.store.readPending(source, this.group.name, after, RECOVERY_BATCH);
        for (const { deliveries, retry, ...entry } of entries) this.dispatch(entry, held.epoch, deliveries, retry);
        if (entries.length < RECOVERY_BATCH) break;
        after = entries.at(-1)!.id;
      }
    }
    held.recovered = true;
  }

  /** @param epoch under which the entry was read, even if the lease has changed since */
  private dispatch(entry: Entry, epoch: number, deliveries: number, retry: RetryRecord | undefined): void {
    const address = addressOf(entry.source.partition);
    let inFlight = this.inFlight.get(address);
    if (!inFlight) this.inFlight.set(address, (inFlight = new Map<string, number>()));
    // Ids of a feed begin with 0-, those of an inbox with a time: one set serves both, and the own log by its name.
    const name = ownerOf(entry.source.log) === undefined ? entry.id : `own ${entry.id}`;
    if (inFlight.has(name)) return;
    inFlight.set(name, epoch);
    const received = this.messages.read(entry);
    this.dispatcher.add(received.key, (slot) => {
      const settled = (outcome: Outcome): void => {
        inFlight.delete(name);
        if (outcome === 'lease-lost') this.lost(address, epoch);
      };
      // Taken over by another process meanwhile: its holder handles the entry.
      if (this.held.get(address)?.epoch !== epoch) return Promise.resolve(settled('lease-lost'));
      return this.processor.process({ entry, epoch, retry, deliveries }, received, slot).then(settled);
    });
  }

  /** The lease is another's, or ours again under a new epoch: then what was refused is still pending and taken up anew. */
  private lost(address: string, epoch: number): void {
    const held = this.held.get(address);
    if (held?.epoch === epoch) this.held.delete(address);
    else if (held) held.recovered = false;
  }
}

/** False when the signal came first. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
