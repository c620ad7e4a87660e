import { contextOf, contractOf, keyOf } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { Guard } from './commit.js';
import { ConfigurationError } from './errors.js';
import { UnitOfWork } from './unit-of-work.js';

export interface PublishOptions {
  /** Messages of one key are handled in order. Default: the contract's key property, else none. */
  readonly key?: string;
  /**
   * Makes publishing idempotent: a second message with this id within a day is not written. Default: a new id each time.
   */
  readonly id?: string;
}

const DAY_MS = 86_400_000;

/**
 * Publishes events and sends commands. Inside a handler the messages go out with the handler's commit or not at all;
 * elsewhere they are committed at once, and so they are inside a handler of another connection: there an `id` keeps a
 * repeated handler from publishing twice.
 */
export class Publisher {
  constructor(private readonly broker: Broker) {}

  /**
   * Appends an event to this context's feed, where every subscribed context finds it.
   *
   * @throws MessageError when the event breaks its contract
   * @throws ConfigurationError when the event belongs to another context
   * @throws UnknownOutcomeError when the reply was lost and no `id` makes repeating safe
   */
  async publish(event: object, options: PublishOptions = {}): Promise<void> {
    const contract = contractOf(event);
    if (contract.kind !== 'event') {
      throw new ConfigurationError(`${contract.type} is a ${contract.kind}: publish events, send commands`);
    }
    const { envelope, text } = this.broker.encode(event, attributes(options));
    if (contextOf(envelope.type) !== this.broker.context) {
      throw new ConfigurationError(
        `event ${envelope.type} belongs to context '${contextOf(envelope.type)}', this service is '${this.broker.context}': ` +
          `a context publishes its own events only`,
      );
    }
    const unit = UnitOfWork.current(this.broker);
    const keyed = envelope.partitionkey !== undefined;
    const partition = (!keyed && unit?.partition) || this.broker.partitionFor(keyOf(envelope));
    const writes = [{ kind: 'append', events: [text] }] as const;
    if (unit) unit.stage(partition, { guards: dedupe(options), writes });
    else await this.broker.commit({ partition, guards: dedupe(options), writes });
  }

  /**
   * Sends a command to the context that its type names, whether or not that is running.
   *
   * @throws MessageError when the command breaks its contract
   */
  async send(command: object, options: PublishOptions = {}): Promise<void> {
    const contract = contractOf(command);
    if (contract.kind !== 'command') {
      throw new ConfigurationError(`${contract.type} is a ${contract.kind}: send commands, publish events`);
    }
    const { envelope, text } = this.broker.encode(command, attributes(options));
    const to = await this.broker.inboxFor(envelope);
    const unit = UnitOfWork.current(this.broker);
    if (unit) {
      unit.emit(to, text);
    } else {
      const partition = this.broker.partitionFor(keyOf(envelope));
      await this.broker.commit({
        partition,
        guards: dedupe(options),
        writes: [{ kind: 'emit', to, message: text }],
      });
    }
  }
}

function attributes({ key, id }: PublishOptions): { partitionkey?: string; id?: string } {
  return { ...(key === undefined ? {} : { partitionkey: key }), ...(id === undefined ? {} : { id }) };
}

function dedupe({ id }: PublishOptions): readonly Guard[] {
  return id === undefined ? [] : [{ kind: 'command', id: `publish:${id}`, result: '', ttlMs: DAY_MS }];
}
