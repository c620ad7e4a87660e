import { randomUUID } from 'node:crypto';
import type { Envelope } from '@millrace/messages';
import type { Broker } from './broker.js';
import { StoreUnavailableError } from './errors.js';
import type { Logger } from './logger.js';
import { replyAddressOf } from './partition.js';
import type { ReplyAddress, ReplyEntry } from './partition.js';
import type { Reader } from './reader.js';
import { pause } from './pause.js';

/** Takes the replies to one message. */
export interface ReplyListener {
  /** @param text the reply as it stands in the stream */
  next(reply: Envelope, text: string): void;
  /** No more will come. */
  fail(error: Error): void;
}

const READ_LIMIT = 200;
const BLOCK_MS = 2_000;
const FAILURE_PAUSE_MS = 200;
/** Replies read between two times that the store is told to forget them. */
const FORGET_EVERY = 128;

/**
 * Where this process waits for replies: one stream, made before the first request and kept alive while the process lives.
 * Reads on a connection of its own, and after a lost one goes on behind the last reply that it has read.
 */
export class ReplyInbox {
  /** As it stands in `replyto`. */
  readonly address: string;

  private readonly place: ReplyAddress;
  private readonly listeners = new Map<string, ReplyListener>();
  private readonly abort = new AbortController();
  private opening: Promise<void> | undefined;
  private reader: Reader | undefined;
  private loops: Promise<unknown> = Promise.resolve();
  /** Until then, in `performance.now()`, the stream certainly exists. */
  private aliveUntil = 0;
  private after = '0';
  private unforgotten = 0;

  /** @param ttlMs how long replies are kept for a process that gives no sign of life */
  constructor(
    private readonly broker: Broker,
    private readonly logger: Logger,
    private readonly ttlMs: number,
  ) {
    const instance = randomUUID();
    this.place = { partition: broker.partitionFor(instance), instance };
    this.address = replyAddressOf(this.place);
  }

  /**
   * From when it resolves, replies to this message are taken.
   *
   * @throws StoreUnavailableError when the store cannot be reached, or the inbox has been closed
   */
  async expect(id: string, listener: ReplyListener): Promise<void> {
    if (this.abort.signal.aborted) throw new StoreUnavailableError('no requests any more: the service has stopped');
    this.listeners.set(id, listener);
    try {
      await (this.opening ??= this.open());
      if (performance.now() > this.aliveUntil) await this.keepAlive();
    } catch (error) {
      this.listeners.delete(id);
      throw error;
    }
  }

  forget(id: string): void {
    this.listeners.delete(id);
  }

  /** Fails what still waits, and disconnects. Idempotent. */
  async close(): Promise<void> {
    if (this.abort.signal.aborted) return;
    this.abort.abort();
    for (const listener of [...this.listeners.values()]) {
      listener.fail(new StoreUnavailableError('the service stops while it waits for a reply'));
    }
    this.listeners.clear();
    await this.opening?.catch(() => undefined);
    await this.reader?.close();
    await this.loops;
    if (this.reader) await this.broker.store.closeReplies(this.place).catch(() => undefined);
  }

  private async open(): Promise<void> {
    try {
      await this.keepAlive();
    } catch (error) {
      this.opening = undefined;
      throw error;
    }
    this.reader = this.broker.store.openReader();
    this.loops = Promise.all([this.readLoop(this.reader), this.aliveLoop()]);
  }

  /** Two more signs of life may be late before the replies are gone. */
  private async aliveLoop(): Promise<void> {
    while (await this.pause(this.ttlMs / 3)) await this.keepAlive().catch(this.warn);
  }

  private async keepAlive(): Promise<void> {
    const asked = performance.now();
    this.unforgotten = 0;
    const anew = await this.broker.store.openReplies(this.place, this.ttlMs, this.after);
    // Its ids begin anew, too, where the server's clock has gone back.
    if (anew) this.after = '0';
    if (anew && this.aliveUntil > 0) this.logger.warn('no sign of life for too long: replies may have been lost');
    this.aliveUntil = asked + (this.ttlMs * 2) / 3;
  }

  private async readLoop(reader: Reader): Promise<void> {
    while (!this.abort.signal.aborted) {
      try {
        const replies = await reader.readReplies(this.place, this.after, READ_LIMIT, BLOCK_MS);
        for (const reply of replies) {
          const waiting = this.arrived(reply);
          if (waiting) await waiting;
        }
        if (this.unforgotten >= FORGET_EVERY) void this.keepAlive().catch(this.warn);
      } catch (error) {
        this.warn(error);
        await this.pause(FAILURE_PAUSE_MS);
      }
    }
  }

  /** @returns a promise only when an inbound transform waits */
  private arrived(entry: ReplyEntry): void | Promise<void> {
    this.after = entry.id;
    this.unforgotten++;
    try {
      const reply = this.broker.openReply(entry);
      const handOver = (opened: Envelope | undefined): void => {
        if (opened?.inreplyto === undefined) return;
        this.listeners.get(opened.inreplyto)?.next(opened, entry.fields.join());
      };
      return reply instanceof Promise ? reply.then(handOver).catch(this.warn) : handOver(reply);
    } catch (error) {
      this.warn(error);
    }
  }

  private readonly warn = (error: unknown): void => {
    if (!this.abort.signal.aborted) this.logger.warn(`replies: ${(error as Error).message}`);
  };

  private pause(ms: number): Promise<boolean> {
    return pause(ms, this.abort.signal);
  }
}
