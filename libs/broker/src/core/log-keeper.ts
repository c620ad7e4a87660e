import { FeedArchive } from './archive/index.js';
import type { Broker } from './broker.js';
import type { Holder, Trimmed, TrimRequest } from './follower.js';
import type { Logger } from './logger.js';
import { compareIds } from './entry-id.js';
import type { Source } from './partition.js';
import type { LogRetention } from './retention-options.js';
import { backoff, DEFAULT_RETRY } from './retry-policy.js';

/** Entries removed in one step, a few ms of the store's time. */
const STEP = 10_000;
/** Entries given to an archive at once. */
const ARCHIVE_STEP = 500;
/** Time after which it is said again that somebody holds a log back, ms. */
const REMIND_MS = 10 * 60_000;

/** Keeps one log as long as its rule says: archives and trims what may go. */
export class LogKeeper {
  /** Who keeps entries that the rule would let go; undefined when nobody does. */
  heldBy: Holder | undefined;
  /** Why the archive did not take what it was given. */
  failure: { readonly attempts: number; readonly error: Error; readonly due: number } | undefined;
  private reported: { readonly holder: string; readonly at: number } | undefined;

  constructor(
    private readonly broker: Broker,
    readonly source: Source,
    private readonly rule: LogRetention,
    private readonly logger: Logger,
  ) {}

  /** One step. True when there is more to do at once. */
  async step(): Promise<boolean> {
    const { maxAgeMs, maxLength } = this.rule;
    const request: TrimRequest = {
      ...(maxAgeMs === undefined ? {} : { keepMs: maxAgeMs }),
      ...(maxLength === undefined ? {} : { keepLength: maxLength }),
      limit: STEP,
      ...(this.rule.archive instanceof FeedArchive ? { streams: true } : {}),
    };
    const trimmed = await (this.rule.archive ? this.archived(request) : this.broker.store.trim(this.source, request));
    if (!trimmed) return false;
    // Without a limit of its own, a log only follows its readers: that they are behind is no news.
    if (maxAgeMs !== undefined || maxLength !== undefined) this.report(trimmed);
    return trimmed.more && trimmed.count > 0;
  }

  /** Undefined while the archive does not take what it is given. */
  private async archived(request: TrimRequest): Promise<Trimmed | undefined> {
    if (this.failure && this.failure.due > this.broker.clock.now()) return undefined;
    const { store } = this.broker;
    const look = await store.trim(this.source, { ...request, limit: 0 });
    if (!look.more) return look;
    const archive = this.rule.archive!;
    const isFeedArchive = archive instanceof FeedArchive;
    const first = await store.readLog(this.source, '0', isFeedArchive ? archive.segment : ARCHIVE_STEP);
    const entries = first.filter(({ id }) => compareIds(id, look.before) < 0);
    // An archive of whole segments waits until one is full.
    if (entries.length < (isFeedArchive ? archive.segment : 1)) return { ...look, more: false };
    try {
      await (isFeedArchive ? archive.keep(entries, this.source.partition) : archive(entries, this.source.partition));
      this.failure = undefined;
    } catch (error) {
      this.fail(error, entries[0]!.id);
      return undefined;
    }
    return store.trim(this.source, { ...request, upTo: entries.at(-1)!.id }).then((trimmed) => ({
      ...trimmed,
      more: trimmed.more || look.before !== trimmed.before,
    }));
  }

  private fail(cause: unknown, from: string): void {
    const attempts = (this.failure?.attempts ?? 0) + 1;
    const wait = backoff(DEFAULT_RETRY, Math.min(attempts, 20), Math.random());
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.failure = { attempts, error, due: this.broker.clock.now() + wait };
    this.logger.error(
      `retention: the archive did not take ${this.where} from ${from} (attempt ${attempts}, again in ${wait} ms; ` +
        `nothing is removed until it does): ${error.message}`,
    );
  }

  private report({ heldBy, before }: Trimmed): void {
    this.heldBy = heldBy;
    const holder = heldBy && describeHolder(heldBy);
    if (!holder) return void (this.reported = undefined);
    const now = this.broker.clock.now();
    if (this.reported?.holder === holder && now - this.reported.at < REMIND_MS) return;
    // Events of streams stay for good: said once.
    if (heldBy.kind === 'stream' && this.reported) return;
    this.reported = { holder, at: now };
    const rest = heldBy.kind === 'stream' ? 'which aggregates are made of' : 'which has not done with it';
    this.logger.warn(
      `retention: ${this.where} would go further, but ${before} and all behind it is kept for ${holder}, ${rest}`,
    );
  }

  private get where(): string {
    const { partition, log } = this.source;
    return `${partition.context}/${partition.index} ${log}`;
  }
}

function describeHolder(holder: Holder): string {
  switch (holder.kind) {
    case 'group':
      return `group '${holder.group}'`;
    case 'checkpoint':
      return `the reader with '${holder.state}'`;
    case 'stream':
      return 'the streams of events';
    case 'nobody':
      return 'the first group, whichever that will be';
  }
}
