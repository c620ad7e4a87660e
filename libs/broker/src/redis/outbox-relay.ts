import { MESSAGE_FIELD } from '@millrace/messages';
import type { KeyBuilder } from '../core/keys.js';
import { addressOf } from '../core/partition.js';
import type { Partition } from '../core/partition.js';
import { parcelOf } from './outbox-parcel.js';
import type { Parcel } from './outbox-parcel.js';
import type { RedisConnection } from './redis-connection.js';
import { Script } from './script.js';

/** Messages of one look at an outbox. */
const BATCH = 100;

/**
 * Carries messages from the outbox of a partition to their targets. Anybody may do so at any time, several at once: a
 * target remembers, per partition, the last message it got, in the script that takes messages in; whoever looks at an
 * outbox begins with its oldest, and nothing leaves it before it is delivered. So nothing arrives twice, out of order or not at all.
 */
export class OutboxRelay {
  private readonly rounds = new Map<string, { now: Promise<number>; next?: Promise<number> }>();

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: KeyBuilder,
  ) {}

  /** Something has been put into the outbox. What goes wrong here is done again by whoever relays next. */
  soon(partition: Partition): void {
    this.relay(partition).catch(() => undefined);
  }

  /** Delivers everything that is in the outbox when it is called. Answers how many were there. */
  relay(partition: Partition): Promise<number> {
    const address = addressOf(partition);
    const running = this.rounds.get(address);
    if (running) return (running.next ??= running.now.then(noMatter, noMatter).then(() => this.begin(partition)));
    return this.begin(partition);
  }

  /** Resolves when nothing is under way. */
  async drain(): Promise<void> {
    while (this.rounds.size > 0)
      await Promise.allSettled([...this.rounds.values()].map(({ next, now }) => next ?? now));
  }

  private begin(partition: Partition): Promise<number> {
    const address = addressOf(partition);
    const round = { now: this.carry(partition) };
    this.rounds.set(address, round);
    const end = (): void => {
      if (this.rounds.get(address) === round && !('next' in round)) this.rounds.delete(address);
    };
    round.now.then(end, end);
    return round.now;
  }

  private async carry(partition: Partition): Promise<number> {
    const out = this.keys.out(partition);
    for (let carried = 0; ;) {
      const entries = (await this.connection.send('XRANGE', [out, '-', '+', 'COUNT', BATCH])) as [string, string[]][];
      const byTarget = new Map<string, Parcel[]>();
      const unreadable: string[] = [];
      for (const entry of entries) {
        const each = parcelOf(this.keys, entry);
        if (!each) {
          unreadable.push(entry[0]);
          continue;
        }
        const address = addressOf(each.to);
        byTarget.set(address, [...(byTarget.get(address) ?? []), each]);
      }
      const targets = [...byTarget.values()];
      const results = await Promise.allSettled(targets.map((some) => this.deliver(partition, some)));
      const done = targets.filter((_, i) => results[i]!.status === 'fulfilled').flat();
      if (done.length > 0) await this.connection.send('XDEL', [out, ...done.map(({ id }) => id)]);
      carried += done.length;
      for (const result of results) if (result.status === 'rejected') throw result.reason;
      if (unreadable.length > 0) {
        throw new Error(
          `${out} holds entries that no commit has written, ${unreadable.join(', ')}: remove them with XDEL`,
        );
      }
      if (entries.length < BATCH) return carried;
    }
  }

  private async deliver(from: Partition, parcels: readonly Parcel[]): Promise<void> {
    const keys = [this.keys.relayed(parcels[0]!.to)];
    const places = new Map<string, number>();
    const args: (string | number)[] = [addressOf(from)];
    for (const parcel of parcels) {
      const [key] = parcel.keys;
      let place = places.get(key!);
      if (place === undefined) {
        places.set(key!, (place = keys.length + 1));
        keys.push(...parcel.keys);
      }
      args.push(parcel.id, place, parcel.kind, parcel.message, parcel.timer, parcel.due, parcel.details);
    }
    await DELIVER.run(this.connection, keys, args);
  }
}

function noMatter(): void {
  // Who waits for the round itself learns of it.
}

/**
 * KEYS  ids of the last messages delivered, by partition they came from; the keys they go to
 * ARGV  address of the partition they come from; per message: its id there, number of its first key, kind, text, and of a
 *       timer: its id, when it is due, details or ''
 */
const DELIVER = new Script(`#!lua
local function parts(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(seq)
end
local function call(...)
  local answer = redis.pcall(...)
  -- Not as a table: it would come back as a text, and a text is no error to whoever called.
  if type(answer) == 'table' and answer.err then error(answer.err, 0) end
end
local add = {
  message = function(k, text) call('XADD', KEYS[k], '*', '${MESSAGE_FIELD}', text) end,
  event = function(k, text) call('XADD', KEYS[k], '0-*', '${MESSAGE_FIELD}', text) end,
  reply = function(k, text) call('XADD', KEYS[k], 'NOMKSTREAM', '*', '${MESSAGE_FIELD}', text) end,
  timer = function(k, text, id, due, details)
    call('ZADD', KEYS[k], due, id)
    call('HSET', KEYS[k + 1], id, text)
    if details == '' then call('HDEL', KEYS[k + 2], id) else call('HSET', KEYS[k + 2], id, details) end
  end,
  cancel = function(k, _, id)
    call('ZREM', KEYS[k], id)
    call('HDEL', KEYS[k + 1], id)
    call('HDEL', KEYS[k + 2], id)
  end,
}
local last = redis.call('HGET', KEYS[1], ARGV[1]) or '0-0'
local ms, seq = parts(last)
local failure
for a = 2, #ARGV, 7 do
  local m, s = parts(ARGV[a])
  if m > ms or (m == ms and s > seq) then
    local done, why = pcall(add[ARGV[a + 2]], tonumber(ARGV[a + 1]), ARGV[a + 3], ARGV[a + 4], ARGV[a + 5], ARGV[a + 6])
    if not done then
      failure = redis.error_reply(why)
      break
    end
    last, ms, seq = ARGV[a], m, s
  end
end
redis.call('HSET', KEYS[1], ARGV[1], last)
return failure or 1`);
