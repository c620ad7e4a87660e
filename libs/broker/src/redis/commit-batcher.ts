import { setTimeout as sleep } from 'node:timers/promises';
import { isRepeatable } from '../core/commit.js';
import type { Appended, Commit, CommitResult, Guard } from '../core/commit.js';
import { StoreUnavailableError, UnknownOutcomeError } from '../core/errors.js';
import { addressOf } from '../core/partition.js';
import type { CommitCompiler, CompiledCommit } from './commit-compiler.js';
import type { RedisConnection } from './redis-connection.js';
import { isNotNow, isServerError } from './redis-errors.js';
import { Script } from './script.js';

interface Waiting {
  readonly commit: Commit;
  readonly compiled: CompiledCommit;
  readonly giveUpAt: number;
  /** True once a reply was lost, so that a refusal may be the echo of our own success. */
  repeated: boolean;
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

/** Commits of one script call; larger batches win little and block the server longer. */
const MAX_BATCH = 64;
const RETRY_MS = 50;

/**
 * Gathers the commits of one turn of the event loop and sends those of one shape in one script call; each is still
 * committed or refused alone.
 */
export class CommitBatcher {
  private queue: Waiting[] = [];
  private scheduled = false;
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

  commit(commit: Commit): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      const compiled = this.compiler.compile(commit);
      this.enqueue({ commit, compiled, giveUpAt: Date.now() + this.patienceMs, repeated: false, resolve, reject });
    });
  }

  /** Resolves when everything committed so far has been answered. */
  async drain(): Promise<void> {
    this.flush();
    while (this.underway.size > 0) await Promise.all(this.underway);
  }

  private enqueue(waiting: Waiting): void {
    this.queue.push(waiting);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.scheduled = false;
    if (this.queue.length === 0) return;
    const batches = new Map<string, Waiting[]>();
    for (const waiting of this.queue) {
      const { shape, keys, args, acknowledgesOnly } = waiting.compiled;
      // Bare acknowledgements share lease, log, epoch and group with their neighbours, so that one XACK takes them all.
      const name = acknowledgesOnly ? `ack ${keys.join(' ')} ${args[0]} ${args[1]}` : shape;
      const batch = batches.get(name);
      if (batch) batch.push(waiting);
      else batches.set(name, [waiting]);
    }
    this.queue = [];
    for (const batch of batches.values()) {
      for (let i = 0; i < batch.length;) {
        const size = batch[i]!.compiled.acknowledgesOnly ? 1_000 : MAX_BATCH;
        this.track(this.send(batch.slice(i, i + size)));
        i += size;
      }
    }
  }

  private track(work: Promise<void>): void {
    this.underway.add(work);
    void work.finally(() => this.underway.delete(work));
  }

  private async send(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = batch[0]!.compiled.acknowledgesOnly ? await this.acknowledge(batch) : await this.run(batch);
      await Promise.all(batch.map((waiting, i) => this.settle(waiting, results[i])));
    } catch (error) {
      await this.fail(batch, error);
    }
  }

  private run(batch: readonly Waiting[]): Promise<RawResult[]> {
    const keys: string[] = [];
    const args: (string | number)[] = [];
    for (const { compiled } of batch) {
      args.push(compiled.keys.length, compiled.args.length);
      for (const key of compiled.keys) keys.push(key);
      for (const arg of compiled.args) args.push(arg);
    }
    return this.compiler.script(batch[0]!.compiled.shape).run(this.connection, keys, args) as Promise<RawResult[]>;
  }

  private async acknowledge(batch: readonly Waiting[]): Promise<RawResult[]> {
    const { keys, args } = batch[0]!.compiled;
    const ids = batch.map(({ compiled }) => compiled.args[2]!);
    const answer = (await ACKNOWLEDGE.run(this.connection, keys, [args[0]!, args[1]!, ...ids])) as (number | string)[];
    if (answer[0] === 0) return batch.map(() => [0, 'lease', answer[1]!]);
    const refused = new Set(answer.slice(1));
    return batch.map((_, i) => (refused.has(i + 1) ? [0, 'input', 'acknowledged'] : [1]));
  }

  private async settle(waiting: Waiting, raw: RawResult | undefined): Promise<void> {
    if (!raw) return waiting.reject(new Error('the commit script answered for fewer commits than it was given'));
    if (raw[0] === 2) return waiting.reject(writeFailed(waiting.commit, String(raw[1])));
    const result = parse(raw);
    if (result.status === 'committed' || !waiting.repeated) return waiting.resolve(result);
    try {
      waiting.resolve(await this.verify(waiting.commit, result));
    } catch (error) {
      waiting.reject(error);
    }
  }

  private async fail(batch: readonly Waiting[], error: unknown): Promise<void> {
    const known = isServerError(error);
    const again: Waiting[] = [];
    for (const waiting of batch) {
      const patient = Date.now() < waiting.giveUpAt;
      if (known && !isNotNow(error)) waiting.reject(error);
      else if (patient && (known || isRepeatable(waiting.commit))) {
        waiting.repeated ||= !known;
        again.push(waiting);
      } else if (known) {
        waiting.reject(
          new StoreUnavailableError(`Redis refuses writes: ${(error as Error).message}`, { cause: error }),
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
    for (const waiting of again) this.enqueue(waiting);
  }
}

/** `[1, position, version, ...]`, `[0, guard, found]` or `[2, error]` */
type RawResult = readonly (number | string)[];

/**
 * KEYS  lease, log
 * ARGV  epoch, group, entry ids
 * Returns {0, found epoch} when the lease is another's; else {1, numbers of the entries acknowledged before}
 */
const ACKNOWLEDGE = new Script(`#!lua
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch ~= ARGV[1] then return {0, epoch or '0'} end
local answer = {1}
for i = 3, #ARGV do
  if redis.call('XACK', KEYS[2], ARGV[2], ARGV[i]) == 0 then answer[#answer + 1] = i - 2 end
end
return answer`);

function parse(raw: RawResult): CommitResult {
  if (raw[0] === 0) return { status: 'refused', guard: raw[1] as Guard['kind'], found: String(raw[2]) };
  const appended: Appended[] = [];
  for (let i = 1; i + 1 < raw.length; i += 2) appended.push({ position: Number(raw[i]), version: Number(raw[i + 1]) });
  return { status: 'committed', appended };
}

/** A write failed inside the script, after the guards: the keys hold something that Millrace did not put there. */
function writeFailed(commit: Commit, text: string): Error {
  const hint = text.includes('equal or smaller than the target stream top item')
    ? `; an entry was written into its feed by hand: write by hand into the inbox ('in') instead, and repair the feed with XDEL and XSETID`
    : '';
  return new Error(`a commit on ${addressOf(commit.partition)} failed: ${text}${hint}`);
}
