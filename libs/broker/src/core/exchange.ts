import type { Envelope } from '@millrace/messages';
import { RequestFailedError, RequestTimeoutError } from './errors.js';
import type { ReplyListener } from './reply-inbox.js';
import { COMPLETED, FAILED, SUPERSEDED, tooLate } from './system-reply.js';
import type { Completed, Failed, Superseded } from './system-reply.js';

/** What a request is about, for its errors. */
export interface Asked {
  readonly type: string;
  readonly id: string;
}

/** Puts the replies to one request in order: repetitions are left out, a gap is an error, and so is a request given up. */
export class Exchange implements ReplyListener {
  private readonly arrived: Envelope[] = [];
  private frames = 0;
  private ended = false;
  private error: Error | undefined;
  private wake = (): void => undefined;

  constructor(private readonly asked: Asked) {}

  next(reply: Envelope): void {
    if (this.ended) return;
    if (reply.type === FAILED) {
      const { reason, error } = reply.data as Failed;
      this.fail(this.failed(reason, `${this.asked.type} (id ${this.asked.id}) was given up (${reason}): ${error}`));
    } else if (reply.type === SUPERSEDED) {
      this.fail(
        this.failed('superseded', `${this.asked.type} (id ${this.asked.id}) ${tooLate(reply.data as Superseded)}`),
      );
    } else if (reply.type === COMPLETED) {
      if ((reply.data as Completed).frames > this.frames) this.lost();
      this.end();
    } else if (reply.frame === undefined) {
      this.arrived.push(reply);
      this.end();
    } else if (reply.frame === this.frames + 1) {
      this.frames++;
      this.arrived.push(reply);
      this.wake();
    } else if (reply.frame > this.frames) {
      this.lost();
    }
  }

  fail(error: Error): void {
    this.error ??= error;
    this.end();
  }

  /**
   * The next reply; undefined when there are no more.
   *
   * @param elapsedMs how much of the time is over already
   * @throws RequestTimeoutError, RequestFailedError, or the reason of the signal
   */
  async take(timeoutMs: number, signal: AbortSignal | undefined, elapsedMs = 0): Promise<Envelope | undefined> {
    if (this.arrived.length === 0 && !this.ended) await this.wait(Math.max(0, timeoutMs - elapsedMs), signal);
    signal?.throwIfAborted();
    const reply = this.arrived.shift();
    if (!reply && this.error) throw this.error;
    if (!reply && !this.ended) throw this.late(timeoutMs);
    return reply;
  }

  failed(reason: string, message: string, cause?: unknown): RequestFailedError {
    return new RequestFailedError(this.asked.type, this.asked.id, reason, message, { cause });
  }

  private wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake(), timeoutMs);
      this.wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', this.wake);
        this.wake = () => undefined;
        resolve();
      };
      signal?.addEventListener('abort', this.wake, { once: true });
      if (signal?.aborted) this.wake();
    });
  }

  private end(): void {
    this.ended = true;
    this.wake();
  }

  private lost(): void {
    const { type, id } = this.asked;
    this.fail(this.failed('replies-lost', `replies to ${type} (id ${id}) were lost behind the first ${this.frames}`));
  }

  private late(timeoutMs: number): RequestTimeoutError {
    const { type, id } = this.asked;
    const which = this.frames === 0 ? 'no reply' : `no more replies than ${this.frames}`;
    return new RequestTimeoutError(
      type,
      id,
      timeoutMs,
      `${which} to ${type} (id ${id}) within ${timeoutMs} ms. It may still be handled: send it with expires: true if it must not begin later`,
    );
  }
}
