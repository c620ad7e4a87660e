import { BaseRpcContext } from '@nestjs/microservices';
import type { Envelope } from '@millrace/messages';
import type { MessageContext } from '../../core/handler.js';

type Metadata = Record<string, string>;

/** What `@Ctx()` gives in a handler of the Redis Streams transport. */
export class RedisStreamsContext extends BaseRpcContext<[string, Metadata | undefined, MessageContext]> {
  /** The pattern of the message, normalized as Nest does it. */
  getPattern(): string {
    return this.args[0];
  }

  /** The same, under the name that it has in Nest's Redis transport. */
  getChannel(): string {
    return this.args[0];
  }

  /** What the client attached to the packet. */
  getMetadata(): Metadata | undefined {
    return this.args[1];
  }

  /** The message with its attributes. */
  getMessage(): Envelope {
    return this.args[2].envelope;
  }

  /** 1 for the first attempt. */
  getAttempt(): number {
    return this.args[2].attempt;
  }
}
