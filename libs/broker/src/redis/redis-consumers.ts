import type { RetryRecord } from '../core/commit.js';
import { HOLDER, isWorker } from '../core/consumer-names.js';
import type { KeyBuilder } from '../core/keys.js';
import type { Entry, Source } from '../core/partition.js';
import type { Claimed, ClaimRequest, PendingEntry } from '../core/group-store.js';
import { entryField } from './entry-field.js';
import type { RedisConnection } from './redis-connection.js';
import { isServerError } from './redis-errors.js';
import { toEntries, toMap } from './redis-replies.js';
import { Script } from './script.js';

type Found = readonly [id: string, fields: string[] | null][];

/** Ids of one call that extends: a longer one would hold Redis up. */
const EXTENDED_AT_ONCE = 250;

/** What consumers of a group have pending, and how it comes to others. */
export class RedisConsumers {
  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: KeyBuilder,
  ) {}

  async readPending(
    source: Source,
    group: string,
    after: string,
    limit: number,
    consumer = HOLDER,
  ): Promise<PendingEntry[]> {
    const key = this.keys.log(source);
    const args = ['GROUP', this.keys.group(group), consumer, 'COUNT', limit, 'STREAMS', key, after];
    const reply = (await this.connection.send('XREADGROUP', args).catch(nothingWithoutGroup)) as
      [string, Found][] | null;
    const found = reply?.[0]?.[1] ?? [];
    const lost = found.filter(([, fields]) => fields === null || fields.length === 0).map(([id]) => id);
    if (lost.length > 0) await this.connection.send('XACK', [key, group, ...lost]);
    return this.withHistory(source, group, consumer, found);
  }

  async pendingIds(source: Source, group: string, after: string, limit: number): Promise<readonly string[]> {
    const args = [this.keys.log(source), this.keys.group(group), after === '0' ? '-' : `(${after}`, '+', limit];
    const reply = (await this.connection.send('XPENDING', args).catch(nothingWithoutGroup)) as [string][] | null;
    return (reply ?? []).map(([id]) => id);
  }

  async claimIdle({ source, group, consumer, idleMs, cursor, limit }: ClaimRequest): Promise<Claimed> {
    const args = [this.keys.log(source), this.keys.group(group), consumer, idleMs, cursor, 'COUNT', limit];
    const reply = (await this.connection.send('XAUTOCLAIM', args).catch(nothingWithoutGroup)) as [string, Found] | null;
    if (!reply) return { cursor: '0-0', entries: [] };
    return { cursor: reply[0], entries: await this.withHistory(source, group, consumer, reply[1]) };
  }

  async extend(source: Source, group: string, consumer: string, ids: readonly string[]): Promise<void> {
    for (let i = 0; i < ids.length; i += EXTENDED_AT_ONCE) {
      const args = [this.keys.group(group), consumer, ...ids.slice(i, i + EXTENDED_AT_ONCE)];
      await EXTEND.run(this.connection, [this.keys.log(source)], args);
    }
  }

  async reap(source: Source, group: string, idleMs: number): Promise<readonly string[]> {
    const key = this.keys.log(source);
    const args = [key, this.keys.group(group)];
    const reply = (await this.connection.send('XINFO', ['CONSUMERS', ...args]).catch(nothingWithoutGroup)) ?? [];
    const idle = (reply as unknown[])
      .map(toMap)
      .filter((info) => Number(info.get('idle')) >= idleMs && info.get('pending') === '0')
      .map((info) => info.get('name')!)
      .filter(isWorker);
    if (idle.length === 0) return [];
    return (await REAP.run(this.connection, [key], [group, idleMs, ...idle])) as string[];
  }

  private async withHistory(source: Source, group: string, consumer: string, found: Found): Promise<PendingEntry[]> {
    const entries: readonly Entry[] = toEntries(source, found);
    if (entries.length === 0) return [];
    const range = [entries[0]!.id, entries.at(-1)!.id, found.length, consumer];
    const [counts, retries] = await Promise.all([
      this.connection.send('XPENDING', [this.keys.log(source), group, ...range]),
      this.connection.send('HMGET', [this.keys.retries(source.partition, group), ...entries.map(entryField)]),
    ]);
    const deliveries = new Map((counts as [string, string, number, number][]).map(([id, , , times]) => [id, times]));
    return entries.map((entry, i) => {
      const record = (retries as (string | null)[])[i];
      return {
        ...entry,
        deliveries: deliveries.get(entry.id) ?? 1,
        retry: record ? (JSON.parse(record) as RetryRecord) : undefined,
      };
    });
  }
}

/** A group, or log, that does not exist has nothing pending and nobody. */
function nothingWithoutGroup(error: unknown): null {
  if (isServerError(error) && /^(NOGROUP|ERR no such key)/.test(error.message)) return null;
  throw error;
}

/**
 * Claims again what is the consumer's own, which only sets its idle time back.
 *
 * KEYS  log
 * ARGV  group, consumer, id ...
 */
const EXTEND = new Script(`#!lua
for i = 3, #ARGV do
  local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if pending.err then return 0 end
  if #pending > 0 then redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID') end
end
return 1`);

/**
 * Looks again and removes in one act: a consumer that was given something in between keeps it.
 *
 * KEYS  log
 * ARGV  group, idle time in ms, consumer ...
 * Returns the consumers removed
 */
const REAP = new Script(`#!lua
local idle, reaped = {}, {}
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local info = {}
  for i = 1, #consumer, 2 do info[consumer[i]] = consumer[i + 1] end
  if info.pending == 0 and info.idle >= tonumber(ARGV[2]) then idle[info.name] = true end
end
for i = 3, #ARGV do
  if idle[ARGV[i]] then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[i])
    reaped[#reaped + 1] = ARGV[i]
  end
end
return reaped`);
