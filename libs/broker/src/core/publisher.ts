import { contractOf, keyOf } from '@millrace/messages';
import type { EnvelopeInit } from '@millrace/messages';
import type { Broker, Encoded } from './broker.js';
import type { Write } from './commit.js';
import { dedupeGuard, isKnown } from './dedupe.js';
import { dueOf } from './due.js';
import type { Delay } from './due.js';
import { ConfigurationError } from './errors.js';
import { checkOwn } from './outgoing.js';
import type { Partition, Source } from './partition.js';
import { Published } from './published.js';
import { newPlaceIn, ownPartition } from './schedule-place.js';
import { UnitOfWork } from './unit-of-work.js';

/** With a delay the message goes out later, once; without, now. */
export interface PublishOptions extends Delay {
  /** Messages of one key are handled in order. Default: the contract's key property, else none. */
  readonly key?: string;
  /**
   * Makes publishing idempotent: a second message with this id and key is not written within the window, and whoever repeats a
   * call whose answer was lost writes nothing twice. Default: a new id each time.
   */
  readonly id?: string;
  /** How long the id is remembered, ms. Default: that of the module, a day if it says nothing. */
  readonly dedupeWindowMs?: number;
}

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
  async publish(event: object, options: PublishOptions = {}): Promise<Published> {
    const { broker } = this;
    const contract = contractOf(event);
    if (contract.kind !== 'event') {
      throw new ConfigurationError(`${contract.type} is a ${contract.kind}: publish events, send commands`);
    }
    const encoded = broker.encode(event, attributes(options));
    const { envelope, text } = encoded;
    checkOwn(broker, envelope.type);
    const unit = UnitOfWork.current(broker);
    const keyed = envelope.partitionkey !== undefined;
    const partition = (!keyed && unit?.partition) || broker.partitionFor(keyOf(envelope));
    const due = dueOf(options, broker.clock.now());
    if (due !== undefined) return this.later(encoded, { partition, log: 'feed' }, due, options);
    return this.write(encoded, options, partition, { kind: 'append', events: [text] });
  }

  /**
   * Sends a command to the context that its type names, whether or not that is running.
   *
   * @throws MessageError when the command breaks its contract
   * @throws UnknownOutcomeError when the reply was lost and no `id` makes repeating safe
   */
  async send(command: object, options: PublishOptions = {}): Promise<Published> {
    const { broker } = this;
    const contract = contractOf(command);
    if (contract.kind !== 'command') {
      throw new ConfigurationError(`${contract.type} is a ${contract.kind}: send commands, publish events`);
    }
    const encoded = broker.encode(command, attributes(options));
    const to = await broker.inboxFor(encoded.envelope);
    const due = dueOf(options, broker.clock.now());
    if (due !== undefined) return this.later(encoded, { partition: to, log: 'in' }, due, options);
    const partition = broker.partitionFor(keyOf(encoded.envelope));
    return this.write(encoded, options, partition, { kind: 'emit', to, message: encoded.text });
  }

  /** A timer that the scheduler knows, kept where the handler's commit is, or that of the key. */
  private async later(encoded: Encoded, to: Source, due: number, options: PublishOptions): Promise<Published> {
    const { broker } = this;
    const byKey = broker.partitionFor(keyOf(encoded.envelope));
    const { id, timer, partition } = newPlaceIn(broker, ownPartition(broker, UnitOfWork.current(broker)) ?? byKey);
    const write: Write = { kind: 'timer', id: timer, due, message: encoded.text, to, partition };
    const published = await this.write(encoded, options, byKey, write);
    broker.alarm.set(due);
    return published.duplicate ? published : new Published(published.id, false, id);
  }

  private async write(
    { envelope }: Encoded,
    { id, dedupeWindowMs }: PublishOptions,
    partition: Partition,
    write: Write,
  ): Promise<Published> {
    const { broker } = this;
    const guard = id === undefined ? undefined : dedupeGuard(broker, envelope, dedupeWindowMs);
    const guards = guard ? [guard] : [];
    const unit = UnitOfWork.current(broker);
    if (!unit) {
      const { status } = await broker.commit({ partition, guards, writes: [write] });
      return new Published(envelope.id, status === 'refused');
    }
    // Refused, the guard would take all that the handler decides with it. Who was faster all the same makes it run again.
    if (guard && (await isKnown(broker, unit, guard))) return new Published(envelope.id, true);
    if (write.kind === 'append') unit.stage(partition, { guards, writes: [write] });
    else unit.addElsewhere({ guards, writes: [write] });
    return new Published(envelope.id, false);
  }
}

function attributes({ key, id }: PublishOptions): Partial<EnvelopeInit> {
  return { ...(key === undefined ? {} : { partitionkey: key }), ...(id === undefined ? {} : { id }) };
}
