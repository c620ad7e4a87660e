import { MESSAGE_FIELD } from '@millrace/messages';
import type { KeyBuilder } from '../core/keys.js';
import { checkName } from '../core/keys.js';
import { parseAddress, parseReplyAddress } from '../core/partition.js';
import type { Log, Partition } from '../core/partition.js';
import { toMap } from './redis-replies.js';

/** What a commit has left for another partition. */
export interface Parcel {
  /** Its entry in the outbox. */
  readonly id: string;
  readonly to: Partition;
  /** The streams or sets it goes into. */
  readonly keys: readonly string[];
  /**
   * `message` for a log, `event` for a feed, where it gets a position; `reply` only if its process still waits; `timer`
   * and `cancel` for the timers of the partition.
   */
  readonly kind: 'message' | 'event' | 'reply' | 'timer' | 'cancel';
  readonly message: string;
  readonly timer: string;
  readonly due: string;
  readonly details: string;
}

/** Reads an entry of an outbox; undefined when no commit has written it. */
export function parcelOf(builder: KeyBuilder, [id, fields]: [string, string[]]): Parcel | undefined {
  const values = toMap(fields);
  const get = (name: string): string => values.get(name) ?? '';
  const replies = parseReplyAddress(get('to'));
  const to = replies?.partition ?? parseAddress(get('to'));
  if (!to) return undefined;
  const parcel = { id, to, message: get(MESSAGE_FIELD), timer: '', due: '', details: '' };
  try {
    const timer = values.get('timer') ?? values.get('cancel');
    if (timer !== undefined) {
      const kind = values.has('timer') ? 'timer' : 'cancel';
      const keys = builder.timers(to);
      return { ...parcel, kind, keys, timer: checkName(timer, 'timer'), due: get('due'), details: get('details') };
    }
    if (!values.has(MESSAGE_FIELD)) return undefined;
    if (replies) return { ...parcel, kind: 'reply', keys: [builder.replies(replies)] };
    const log = (values.get('log') ?? 'in') as Log;
    return { ...parcel, kind: log === 'feed' ? 'event' : 'message', keys: [builder.log({ partition: to, log })] };
  } catch {
    return undefined;
  }
}
