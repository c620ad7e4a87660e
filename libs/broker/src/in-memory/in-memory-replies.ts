import { MESSAGE_FIELD } from '@millrace/messages';
import type { Partition, ReplyEntry } from '../core/partition.js';
import { compareIds } from '../core/entry-id.js';
import { InMemoryLog } from './in-memory-log.js';

/** What has come for one process that waits for replies, as long as it keeps its address alive. */
export class InMemoryReplies {
  readonly log: InMemoryLog;
  private until = 0;

  constructor(partition: Partition) {
    this.log = new InMemoryLog({ partition, log: 'in' });
  }

  open(now: number, ttlMs: number, readUpTo?: string): boolean {
    const fresh = !this.isOpen(now);
    if (fresh) this.log.trim(Infinity);
    else if (readUpTo !== undefined) this.log.trim(this.log.countUpTo(readUpTo));
    this.until = now + ttlMs;
    return fresh;
  }

  add(message: string, now: number): boolean {
    if (!this.isOpen(now)) return false;
    this.log.append([MESSAGE_FIELD, message], now);
    return true;
  }

  after(id: string, now: number): readonly ReplyEntry[] {
    if (!this.isOpen(now)) return [];
    const entries = this.log.entries.filter((entry) => compareIds(entry.id, id) > 0);
    return entries.map(({ id, fields }) => ({ id, fields }));
  }

  private isOpen(now: number): boolean {
    return this.until > now;
  }
}
