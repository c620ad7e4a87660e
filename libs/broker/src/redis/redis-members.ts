import type { KeyBuilder } from '../core/keys.js';
import type { Partition } from '../core/partition.js';
import type { LeaseRequest } from '../core/group-store.js';
import type { LivingClients } from './living-clients.js';
import type { RedisConnection } from './redis-connection.js';
import { Script } from './script.js';

/** Who has said nothing for so long may be dead, ms: then CLIENT LIST is asked. */
const SILENCE_MS = 2_500;

interface Member {
  readonly owner: string;
  readonly client: string;
  readonly silentMs: number;
}

/** The processes that take part in a group. Like a lease, a membership decides only who tries what, never what is safe. */
export class RedisMembers {
  /** Lists where this process is known already. */
  private readonly joined = new Set<string>();

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: KeyBuilder,
    private readonly clients: LivingClients,
  ) {}

  async attend(request: LeaseRequest): Promise<readonly string[]> {
    const key = this.keys.members(request.partition, request.group);
    const membership = `${key} ${request.owner}`;
    const members = await this.say(key, request, []);
    // Who comes new may follow a process that has just died.
    const suspicious = Math.min(SILENCE_MS, request.ttlMs / 2);
    const suspects = this.joined.has(membership) ? members.filter((m) => m.silentMs > suspicious) : members;
    this.joined.add(membership);
    const gone: string[] = [];
    for (const { owner, client } of suspects) if (await this.clients.areGone(client)) gone.push(owner);
    const living = gone.length === 0 ? members : await this.say(key, request, gone);
    return living.map(({ owner }) => owner).sort();
  }

  async leave(partition: Partition, group: string, owner: string): Promise<void> {
    const key = this.keys.members(partition, group);
    this.joined.delete(`${key} ${owner}`);
    await this.connection.send('HDEL', [key, owner]);
  }

  private async say(key: string, { owner, ttlMs }: LeaseRequest, gone: readonly string[]): Promise<Member[]> {
    const args = [owner, this.clients.own, ttlMs, ...gone];
    const flat = (await ATTEND.run(this.connection, [key], args)) as (string | number)[];
    const members: Member[] = [];
    for (let i = 0; i < flat.length; i += 3) {
      members.push({ owner: String(flat[i]), client: String(flat[i + 1]), silentMs: Number(flat[i + 2]) });
    }
    return members;
  }
}

/**
 * KEYS  members
 * ARGV  own name, name of the own connections, time to live in ms, members known to be gone ...
 * Returns per member: its name, the name of its connections, for how many ms it has said nothing
 */
const ATTEND = new Script(`#!lua
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 4, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %d %s', now, ARGV[3], ARGV[2]))
local all, answer = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local seen, ttl, client = string.match(all[i + 1], '^(%d+) (%d+) (.*)$')
  local silent = now - tonumber(seen)
  if silent >= tonumber(ttl) then redis.call('HDEL', KEYS[1], all[i])
  else
    answer[#answer + 1] = all[i]
    answer[#answer + 1] = client
    answer[#answer + 1] = silent
  end
end
return answer`);
