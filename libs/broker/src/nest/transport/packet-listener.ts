import type { Envelope } from '@millrace/messages';
import type { ProducerDeserializer, ReadPacket, WritePacket } from '@nestjs/microservices';
import { RequestFailedError, RequestTimeoutError } from '../../core/errors.js';
import type { ReplyListener } from '../../core/reply-inbox.js';
import { FAILED, SUPERSEDED, tooLate } from '../../core/system-reply.js';
import type { Failed, Superseded } from '../../core/system-reply.js';
import { withBuffers } from './buffers.js';

/** Hands the packets that answer one request to its caller, in order and each once. */
export class PacketListener implements ReplyListener {
  private frames = 0;
  private ended = false;
  private timer: NodeJS.Timeout | undefined;
  private delivering: Promise<void> = Promise.resolve();

  constructor(
    private readonly request: ReadPacket,
    private readonly id: string,
    private readonly timeoutMs: number | undefined,
    private readonly deserializer: ProducerDeserializer,
    private readonly callback: (packet: WritePacket) => void,
  ) {
    this.restartTimer();
  }

  next(reply: Envelope, text: string): void {
    if (this.ended) return;
    if (reply.type === FAILED) {
      const { reason, error } = reply.data as Failed;
      return this.fail(new RequestFailedError(this.pattern, this.id, reason, `${this.pattern} was given up: ${error}`));
    }
    if (reply.type === SUPERSEDED) {
      const text = `${this.pattern} ${tooLate(reply.data as Superseded)}`;
      return this.fail(new RequestFailedError(this.pattern, this.id, 'superseded', text));
    }
    if (reply.frame !== undefined && reply.frame <= this.frames) return;
    if (reply.frame !== undefined) {
      if (reply.frame > this.frames + 1) {
        const lost = `answers to ${this.pattern} were lost behind the first ${this.frames}`;
        return this.fail(new RequestFailedError(this.pattern, this.id, 'replies-lost', lost));
      }
      this.frames = reply.frame;
      this.restartTimer();
    } else {
      this.end();
    }
    this.deliver(async () => this.deserializer.deserialize(withBuffers(reply.data, text)) as Promise<WritePacket>);
  }

  fail(error: Error): void {
    if (this.ended) return;
    this.end();
    this.deliver(async () => ({ err: error }));
  }

  /** Nothing is expected any more. */
  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  private deliver(packet: () => Promise<WritePacket>): void {
    this.delivering = this.delivering
      .then(packet)
      .then(({ err, response, isDisposed }: WritePacket) => {
        this.callback(err || isDisposed ? { err, response, isDisposed: true } : { err, response });
      })
      .catch((error: unknown) => this.callback({ err: error }));
  }

  private restartTimer(): void {
    clearTimeout(this.timer);
    const { timeoutMs } = this;
    if (timeoutMs === undefined) return;
    this.timer = setTimeout(() => {
      const text = `no answer to ${this.pattern} (id ${this.id}) within ${timeoutMs} ms`;
      this.fail(new RequestTimeoutError(this.pattern, this.id, timeoutMs, text));
    }, timeoutMs);
  }

  private get pattern(): string {
    const { pattern } = this.request as { pattern: unknown };
    return typeof pattern === 'string' ? pattern : JSON.stringify(pattern);
  }
}
