import type { KeyBuilder } from '../core/keys.js';
import type { Partition } from '../core/partition.js';
import type { LeaseAnswer, LeaseRequest } from '../core/group-store.js';
import type { LivingClients } from './living-clients.js';
import type { RedisConnection } from './redis-connection.js';
import { Script } from './script.js';

/**
 * Leases with epochs (Kleppmann's fencing tokens). Safety comes from the epoch, which every commit checks; the time to
 * live and the look for dead holders only decide how soon somebody else may try.
 */
export class RedisLeases {
  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: KeyBuilder,
    private readonly clients: LivingClients,
  ) {}

  async acquire(request: LeaseRequest): Promise<LeaseAnswer> {
    const first = await this.take(request, '');
    if (first.answer.held || !(await this.clients.areGone(first.client))) return first.answer;
    return (await this.take(request, first.client)).answer;
  }

  async release(partition: Partition, group: string, epoch: number): Promise<void> {
    await RELEASE.run(this.connection, [this.keys.lease(partition, group)], [epoch]);
  }

  private async take({ partition, group, owner, ttlMs }: LeaseRequest, gone: string): Promise<Taken> {
    const key = this.keys.lease(partition, group);
    const [held, epoch, holder, client, remaining] = (await ACQUIRE.run(
      this.connection,
      [key],
      [owner, ttlMs, this.clients.own, gone],
    )) as [number, number, string?, string?, number?];
    return held === 1
      ? { answer: { held: true, epoch }, client: this.clients.own }
      : { answer: { held: false, owner: holder ?? '', remainingMs: remaining ?? 0 }, client: client ?? '' };
  }
}

interface Taken {
  readonly answer: LeaseAnswer;
  /** Name of the holder's connections. */
  readonly client: string;
}

/**
 * KEYS  lease
 * ARGV  owner, time to live in ms, name of its connections, name of connections known to be gone or ''
 * Returns {1, epoch} held; {0, epoch, owner, name of its connections, ms left}
 */
const ACQUIRE = new Script(`#!lua
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local owner, till, epoch, client = unpack(redis.call('HMGET', KEYS[1], 'owner', 'until', 'epoch', 'client'))
local left = (tonumber(till) or 0) - now
if owner and owner ~= '' and owner ~= ARGV[1] and client ~= ARGV[4] and left > 0 then
  return {0, tonumber(epoch), owner, client, left}
end
if owner ~= ARGV[1] then epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1) end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'client', ARGV[3], 'until', string.format('%.0f', now + ARGV[2]))
return {1, tonumber(epoch)}`);

/**
 * KEYS  lease
 * ARGV  epoch that gives it back
 */
const RELEASE = new Script(`#!lua
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then redis.call('HSET', KEYS[1], 'owner', '', 'until', 0) end
return 1`);
