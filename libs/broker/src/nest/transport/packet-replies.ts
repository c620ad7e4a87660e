import type { Envelope } from '@millrace/messages';
import type { ConsumerSerializer, WritePacket } from '@nestjs/microservices';
import type { Broker } from '../../core/broker.js';
import { encodeRaw } from '../../core/raw-message.js';
import { waitingFor } from '../../core/system-reply.js';
import { UnitOfWork } from '../../core/unit-of-work.js';

/** Type of the replies to Nest's requests. */
const REPLY = 'nest.reply';

/** Sends the packets that answer one request. */
export class PacketReplies {
  private frames = 0;
  private readonly unit: UnitOfWork | undefined;

  /** Inside the unit of work that handles the request. */
  constructor(
    private readonly broker: Broker,
    private readonly request: Envelope,
    private readonly id: unknown,
    private readonly serializer: ConsumerSerializer,
  ) {
    this.unit = UnitOfWork.current(broker);
  }

  /** Sends one of several responses at once. False: nobody waits any more. */
  async next(response: unknown): Promise<boolean> {
    const to = waitingFor(this.request);
    if (!to) return true;
    const frame = ++this.frames;
    return this.broker.store.sendReply(to, this.text({ response }, { frame }));
  }

  /** Ends the answer, with the commit that settles the request. */
  end(packet: WritePacket): void {
    const to = waitingFor(this.request);
    if (!to) return;
    const outcome = packet.err === undefined ? 'success' : 'failure';
    const message = this.text({ ...packet, isDisposed: true }, { outcome });
    this.unit?.add([{ kind: 'reply', to, message }]);
  }

  private text(packet: WritePacket, attributes: Partial<Envelope>): string {
    const data: unknown = this.serializer.serialize({ id: this.id as string, ...packet });
    return encodeRaw(this.broker, { type: REPLY, inreplyto: this.request.id, ...attributes, data }).text;
  }
}
