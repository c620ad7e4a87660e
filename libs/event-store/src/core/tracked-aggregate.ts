import { ConfigurationError, ConflictError } from '@millrace/broker';
import type { Encoded, Staged, UnitOfWork } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import { replay, takeRecorded } from './aggregate-model.js';
import type { AggregateStream } from './aggregate-stream.js';
import { versionOf } from './journal.js';

/**
 * One aggregate within one unit of work. However often it is changed there, the commit gets one version guard, for the
 * version it was first loaded at, and one group of events.
 */
export class TrackedAggregate<A extends object> {
  private readonly decided: object[] = [];
  private readonly encoded: Encoded[] = [];
  private readonly texts: string[] = [];
  private loading: Promise<A> | undefined;
  private loaded: A | undefined;
  private expected: number | undefined;
  private guarded = false;
  private deciding = false;

  constructor(
    private readonly unit: UnitOfWork,
    private readonly stream: AggregateStream<A>,
  ) {
    unit.stageLater(() => this.finish());
  }

  /** The aggregate with all that this unit has decided so far. */
  get(): Promise<A> {
    return (this.loading ??= this.load());
  }

  /** @throws ConfigurationError when another decision on this aggregate has not finished */
  async change<R>(decide: (aggregate: A) => R | Promise<R>): Promise<R> {
    const aggregate = await this.get();
    if (this.deciding) {
      throw new ConfigurationError(`two changes of ${this.stream.name} overlap in one handler: await the first one`);
    }
    this.guard();
    this.deciding = true;
    try {
      const deciding = decide(aggregate);
      const result = deciding instanceof Promise ? await deciding : deciding;
      const kept = this.keep(aggregate);
      if (kept) await kept;
      return result;
    } catch (error) {
      // What was recorded before the failure must not be stored, so the instance that shows it goes too.
      this.loading = this.loaded = undefined;
      throw error;
    } finally {
      this.deciding = false;
    }
  }

  private async load(): Promise<A> {
    const aggregate = await this.stream.load();
    const version = versionOf(aggregate);
    this.expected ??= version;
    if (version !== this.expected) {
      const found = String(version);
      throw new ConflictError('version', found, `${this.stream.name} was at ${this.expected} and is now at ${found}`);
    }
    for (const event of this.decided) replay(this.stream.model, aggregate, contractOf(event).type, event);
    return (this.loaded = aggregate);
  }

  /** Guards at once, so that the unit knows its partition; a decision that records nothing is guarded too. */
  private guard(): void {
    if (this.guarded) return;
    this.guarded = true;
    this.unit.stage(this.stream.partition, { guards: [this.stream.guard(this.expected!)] });
  }

  /**
   * Encodes at once: a broken contract shows in the decision that recorded it. The group of events takes its place in
   * the commit with the first one, and grows with the later ones. A promise only with personal data.
   */
  private keep(aggregate: A): void | Promise<void> {
    const events = takeRecorded(aggregate);
    if (events.length === 0) return;
    this.unit.checkOpen();
    const encoded = this.stream.encode(events);
    return encoded instanceof Promise ? encoded.then((all) => this.add(events, all)) : this.add(events, encoded);
  }

  private add(events: readonly object[], encoded: readonly Encoded[]): void {
    this.unit.checkOpen();
    if (this.encoded.length === 0) {
      this.guard();
      this.unit.stage(this.stream.partition, { writes: [this.stream.append(this.texts)] });
    }
    this.texts.push(...encoded.map(({ text }) => text));
    this.encoded.push(...encoded);
    this.decided.push(...events);
  }

  /** Keeps what was recorded outside of a change, too; the snapshot is of the aggregate as it then is. */
  private finish(): Staged | undefined | Promise<Staged | undefined> {
    const { loaded } = this;
    if (!loaded) return undefined;
    const kept = this.unit.run(() => this.keep(loaded));
    return kept ? kept.then(() => this.snapshot(loaded)) : this.snapshot(loaded);
  }

  private snapshot(loaded: A): Staged | undefined | Promise<Staged | undefined> {
    if (this.encoded.length === 0) return undefined;
    const { partition } = this.stream;
    const writes = this.stream.snapshot(loaded, this.encoded);
    return writes instanceof Promise ? writes.then((each) => ({ partition, writes: each })) : { partition, writes };
  }
}
