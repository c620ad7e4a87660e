import { setTimeout as sleep } from 'node:timers/promises';
import { isRepeatable } from '../core/commit.js';
import type { Commit, CommitResult } from '../core/commit.js';
import { StoreUnavailableError, UnknownOutcomeError } from '../core/errors.js';
import { addressOf } from '../core/partition.js';
import { BULK } from './bulk-commits.js';
import { callOf } from './call-layout.js';
import type { CommitCompiler, Compiling } from './commit-compiler.js';
import type { CompiledCommit } from './compiled-commit.js';
import { Failure, outcomesOf } from './outcome.js';
import type { Outcome } from './outcome.js';
import type { RedisConnection } from './redis-connection.js';
import { isNotNow, isServerError } from './redis-errors.js';

/** A class for the reason of {@link youngList}. */
class Waiting {
  /** True once a reply was lost, so that a refusal may be the echo of our own success. */
  repeated = false;

  /** @param compiled gone when it has been sent: while the answer is awaited, nothing else is as large */
  constructor(
    readonly commit: Commit,
    readonly how: Compiling | undefined,
    public compiled: CompiledCommit | undefined,
    readonly repeatable: boolean,
    readonly giveUpAt: number,
    readonly resolve: (result: CommitResult) => void,
    readonly reject: (error: unknown) => void,
  ) {}
}

/** One that is to be sent. */
type Queued = Waiting & { compiled: CompiledCommit };

/** Commits of one script call; larger batches win little and block the server longer. */
const MAX_BATCH = 32;
const RETRY_MS = 50;

/**
 * Gathers the commits of one turn of the event loop and sends those of one shape in one script call; each is still
 * committed or refused alone.
 */
export class CommitBatcher {
  private queue: Queued[] = [];
  private scheduled = false;
  /** What has gathered of a shape that does not wait for the end of the turn. */
  private early = 0;
  private readonly underway = new Set<Promise<void>>();

  /**
   * @param patienceMs how long a commit is repeated while the server is away
   * @param verify looks whether a refused repetition had in truth been written by its first try
   */
  constructor(
    private readonly connection: RedisConnection,
    private readonly compiler: CommitCompiler,
    private readonly patienceMs: number,
    private readonly verify: (commit: Commit, refused: CommitResult) => Promise<CommitResult>,
  ) {}

  commit(commit: Commit, how?: Compiling): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      const compiled = this.compiler.compile(commit, how);
      const repeatable = how?.look === true || how?.taken?.some(({ entry }) => entry) === true || isRepeatable(commit);
      const giveUpAt = Date.now() + this.patienceMs;
      this.enqueue(new Waiting(commit, how, compiled, repeatable, giveUpAt, resolve, reject) as Queued);
    });
  }

  /** Resolves when everything committed so far has been answered. */
  async drain(): Promise<void> {
    // A commit that is tried again comes back into the queue.
    while (this.queue.length > 0 || this.underway.size > 0) {
      this.flush();
      await Promise.all(this.underway);
    }
  }

  private enqueue(waiting: Queued): void {
    this.queue.push(waiting);
    const { shape } = waiting.compiled;
    const bulk = BULK[shape];
    if (bulk?.enough !== undefined) {
      this.early += bulk.weigh(waiting.compiled);
      if (this.early >= bulk.enough) return this.flush(({ compiled }) => compiled.shape === shape);
    }
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(matches: (waiting: Queued) => boolean = () => true): void {
    this.early = 0;
    const batches = new Map<string, Queued[]>();
    const others: Queued[] = [];
    for (const waiting of this.queue) {
      if (!matches(waiting)) {
        others.push(waiting);
        continue;
      }
      const { shape, slot } = waiting.compiled;
      const name = slot === '' ? shape : `${slot} ${shape}`;
      const batch = batches.get(name);
      if (batch) batch.push(waiting);
      else batches.set(name, [waiting]);
    }
    this.queue = others;
    for (const batch of batches.values()) for (const call of calls(batch)) this.track(this.send(call));
  }

  private track(work: Promise<void>): void {
    this.underway.add(work);
    void work.finally(() => this.underway.delete(work));
  }

  private async send(batch: readonly Queued[]): Promise<void> {
    try {
      const results = await this.run(batch);
      const looking: Promise<void>[] = [];
      batch.forEach((waiting, i) => {
        const settled = this.settle(waiting, results[i]);
        if (settled) looking.push(settled);
      });
      await Promise.all(looking);
    } catch (error) {
      await this.fail(batch, error);
    }
  }

  private async run(batch: readonly Queued[]): Promise<Outcome[]> {
    const { shape } = batch[0]!.compiled;
    const bulk = BULK[shape];
    if (bulk) return bulk.run(this.connection, this.taken(batch));
    const script = this.compiler.script(shape);
    const answer = await script.call(this.connection, (name) => callOf(name, this.taken(batch)));
    return outcomesOf(answer as (number | string)[]);
  }

  /** Compiled anew where that has been sent before. */
  private taken(batch: readonly Waiting[]): readonly CompiledCommit[] {
    return batch.map((waiting) => {
      const compiled = waiting.compiled ?? this.compiler.compile(waiting.commit, waiting.how);
      waiting.compiled = undefined;
      return compiled;
    });
  }

  /** A promise only where it has to be looked what the first try has done. */
  private settle(waiting: Waiting, outcome: Outcome | undefined): Promise<void> | undefined {
    if (!outcome) waiting.reject(new Error('the commit script answered for fewer commits than it was given'));
    else if (outcome instanceof Failure) waiting.reject(writeFailed(waiting.commit, outcome.text));
    else if (outcome.status !== 'committed' && waiting.repeated) return this.look(waiting, outcome);
    else waiting.resolve(outcome);
    return undefined;
  }

  private async look(waiting: Waiting, result: CommitResult): Promise<void> {
    try {
      waiting.resolve(await this.verify(waiting.commit, result));
    } catch (error) {
      waiting.reject(error);
    }
  }

  private async fail(batch: readonly Waiting[], error: unknown): Promise<void> {
    // Answered with an error, or never sent: nothing has been written.
    const known = isServerError(error) || error instanceof StoreUnavailableError;
    const again: Waiting[] = [];
    for (const waiting of batch) {
      const patient = Date.now() < waiting.giveUpAt;
      if (isServerError(error) && !isNotNow(error)) waiting.reject(error);
      else if (patient && (known || waiting.repeatable)) {
        waiting.repeated ||= !known;
        again.push(waiting);
      } else if (known) {
        waiting.reject(
          isServerError(error)
            ? new StoreUnavailableError(`Redis refuses writes: ${error.message}`, { cause: error })
            : error,
        );
      } else {
        waiting.reject(
          new UnknownOutcomeError(
            `the reply to a commit on ${addressOf(waiting.commit.partition)} was lost, it may have been written`,
            { cause: error },
          ),
        );
      }
    }
    if (again.length === 0) return;
    await sleep(RETRY_MS);
    for (const waiting of again) {
      waiting.compiled ??= this.compiler.compile(waiting.commit, waiting.how);
      this.enqueue(waiting as Queued);
    }
  }
}

/** Commits of one shape, as many in a call as it takes. */
function* calls(batch: readonly Queued[]): Generator<readonly Queued[], void> {
  const { max, weigh } = BULK[batch[0]!.compiled.shape] ?? { max: MAX_BATCH, weigh: () => 1 };
  let from = 0;
  let weight = 0;
  for (let i = 0; i < batch.length; i++) {
    const own = weigh(batch[i]!.compiled);
    if (weight + own > max && i > from) {
      yield batch.slice(from, i);
      from = i;
      weight = 0;
    }
    weight += own;
  }
  yield from === 0 ? batch : batch.slice(from);
}

/** A write failed inside the script, after the guards: the keys hold something that Millrace did not put there. */
function writeFailed(commit: Commit, text: string): Error {
  const hint = text.includes('equal or smaller than the target stream top item')
    ? `: its feed holds an entry that was written by hand. Nothing was written. Remove it with XDEL, then set the last id ` +
      `back with XSETID and, for every group past it, XGROUP SETID. Where the server refuses XSETID (Redis 8, Valkey): ` +
      `XADD the other entries with their ids to a new stream, XGROUP CREATE its groups at their last ids, and RENAME it ` +
      `to the feed. By hand, write into inboxes ('in') only`
    : '';
  return new Error(`a commit on ${addressOf(commit.partition)} failed: ${text}${hint}`);
}
