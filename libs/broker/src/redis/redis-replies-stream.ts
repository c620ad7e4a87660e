import { setTimeout as sleep } from 'node:timers/promises';
import { MESSAGE_FIELD } from '@millrace/messages';
import { StoreUnavailableError, UnknownOutcomeError } from '../core/errors.js';
import type { KeyBuilder } from '../core/keys.js';
import { replyAddressOf } from '../core/partition.js';
import type { ReplyAddress } from '../core/partition.js';
import type { RedisConnection } from './redis-connection.js';
import { isNotNow, isServerError } from './redis-errors.js';
import { Script } from './script.js';

const RETRY_MS = 50;
/**
 * Replies in a stream that one more waits behind. A process that lives reads much faster; for one that has died no more are
 * kept until its stream expires.
 */
const MOST_UNREAD = 2_000;

const SENT = 1;
const FULL = 2;

/**
 * The streams in which processes wait for replies (Request-Reply with a Return Address, Hohpe and Woolf). A stream exists
 * as long as its process keeps it alive, so what nobody would read is never written.
 */
export class RedisReplies {
  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: KeyBuilder,
    private readonly patienceMs: number,
  ) {}

  async open(address: ReplyAddress, ttlMs: number, readUpTo = ''): Promise<boolean> {
    const from = readUpTo === '' ? '' : following(readUpTo);
    return (await OPEN.run(this.connection, [this.keys.replies(address)], [ttlMs, from])) === 1;
  }

  async close(address: ReplyAddress): Promise<void> {
    await this.connection.send('DEL', [this.keys.replies(address)]);
  }

  /**
   * Adds nothing to a stream that does not exist. Where too many are unread it waits until the process has read on, or is gone.
   * Repeated while Redis is away: receivers know repetitions.
   */
  async send(address: ReplyAddress, message: string): Promise<boolean> {
    const keys = [this.keys.replies(address)];
    let giveUpAt = Date.now() + this.patienceMs;
    for (;;) {
      try {
        const answer = await SEND.run(this.connection, keys, [message, MOST_UNREAD]);
        if (answer !== FULL) return answer === SENT;
        giveUpAt = Date.now() + this.patienceMs;
      } catch (error) {
        const unsent = error instanceof StoreUnavailableError;
        if (isServerError(error) && !isNotNow(error)) throw error;
        if (Date.now() >= giveUpAt) {
          if (unsent) throw error;
          throw new UnknownOutcomeError(`a reply to ${replyAddressOf(address)} may not have been written`, {
            cause: error,
          });
        }
        await sleep(RETRY_MS);
      }
    }
  }
}

/** The smallest id after this one. */
function following(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  return `${ms}-${BigInt(sequence) + 1n}`;
}

/**
 * An empty stream is made by a group that goes at once: it needs no entry, so no id is used up.
 *
 * KEYS  replies
 * ARGV  time to live in ms, smallest id that is still needed or ''
 * Returns 1 when the stream did not exist
 */
const OPEN = new Script(`#!lua
local fresh = redis.call('EXISTS', KEYS[1]) == 0
if fresh then
  redis.call('XGROUP', 'CREATE', KEYS[1], 'g', '0', 'MKSTREAM')
  redis.call('XGROUP', 'DESTROY', KEYS[1], 'g')
elseif ARGV[2] ~= '' then
  redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return fresh and 1 or 0`);

/**
 * KEYS  replies
 * ARGV  message, most entries that may stand before it
 * Returns 0 when the stream does not exist, 1 when the message was added, 2 when there is no room
 */
const SEND = new Script(`#!lua
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[2]) then return ${FULL} end
return redis.call('XADD', KEYS[1], 'NOMKSTREAM', '*', '${MESSAGE_FIELD}', ARGV[1]) and ${SENT} or 0`);
