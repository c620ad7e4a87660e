import type { Redis } from 'ioredis';
import { EntriesReplyParser } from './entries-reply.js';
import type { EntriesReply } from './entries-reply.js';

export type Send = (command: string, args: readonly (string | number)[]) => Promise<unknown>;

/** A read that waits for its reply. */
interface Waiting {
  parser?: EntriesReplyParser;
  /** A first byte that does not say enough. */
  held?: Buffer;
  reply?: EntriesReply;
}

/** What the client gets instead of a reply that has been taken: none, so that its command is done. */
const NOTHING = Buffer.from('*-1\r\n');

/**
 * Takes the replies of reads out of what a connection receives and parses them itself: the parser of ioredis costs more CPU than
 * all that Millrace does with an entry, handling and reading its document aside.
 *
 * Only a read that is alone on its connection is taken, so that the next reply is its own; and not the first one on a new
 * connection, as ioredis itself asks a few things there. Errors, and replies with nothing, go to ioredis as they are; so does
 * everything when something else listens to the socket.
 */
export class ReplyTap {
  private underWay = 0;
  /** The socket whose data come by here. */
  private tapped: unknown;
  private waiting: Waiting | undefined;

  constructor(
    private readonly redis: Redis,
    private readonly call: Send,
  ) {}

  readonly send: Send = async (command, args) => {
    this.underWay++;
    try {
      return await this.call(command, args);
    } finally {
      this.underWay--;
    }
  };

  /** For commands that answer with entries of streams. */
  readonly read: Send = async (command, args) => {
    const { stream } = this.redis;
    const alone = this.underWay === 0;
    const waiting: Waiting | undefined = alone && this.tapped === stream ? {} : undefined;
    if (waiting) this.waiting = waiting;
    try {
      const answer = await this.send(command, args);
      // Everything that was sent on it before has been answered, too.
      if (alone && !waiting && stream === this.redis.stream) this.tap(stream);
      return waiting?.reply ?? answer;
    } finally {
      if (waiting && this.waiting === waiting) this.waiting = undefined;
    }
  };

  private tap(stream: Redis['stream']): void {
    const [client, ...others] = stream.listeners('data') as ((chunk: Buffer) => void)[];
    if (!client || others.length > 0) return;
    stream.off('data', client);
    stream.on('data', (chunk: Buffer) => {
      try {
        this.receive(chunk, client);
      } catch (error) {
        // Where the next reply begins is not known any more. The client connects again.
        stream.destroy(error as Error);
      }
    });
    this.tapped = stream;
  }

  private receive(chunk: Buffer, client: (chunk: Buffer) => void): void {
    const { waiting } = this;
    if (!waiting) return client(chunk);
    const bytes = waiting.held ? Buffer.concat([waiting.held, chunk]) : chunk;
    delete waiting.held;
    if (!waiting.parser && bytes.length < 2) {
      waiting.held = bytes;
      return;
    }
    if (!waiting.parser && !EntriesReplyParser.takes(bytes)) {
      this.waiting = undefined;
      return client(bytes);
    }
    const taken = (waiting.parser ??= new EntriesReplyParser()).feed(bytes);
    if (!taken) return;
    waiting.reply = taken.reply;
    this.waiting = undefined;
    client(NOTHING);
    if (taken.rest.length > 0) client(taken.rest);
  }
}
