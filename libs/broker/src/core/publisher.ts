import { contractOf, findContract, keyOf } from '@millrace/messages';
import type { Envelope, MessageKind } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { OutboundMessage } from './message-writer.js';
import type { Write } from './commit.js';
import { dedupeGuard, isKnown } from './dedupe.js';
import { dueOf, isDelayed } from './due.js';
import { effectAttributes } from './effect-options.js';
import type { EffectOptions } from './effect-options.js';
import type { Delay } from './due.js';
import { ConfigurationError } from './errors.js';
import { checkOwn } from './outgoing.js';
import type { Partition } from './partition.js';
import { Publications } from './publications.js';
import { Published } from './published.js';
import { newPlaceIn, ownPartition } from './schedule-place.js';
import { send, targetOf } from './sending.js';
import type { Telemetry } from './telemetry.js';
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

export interface SendOptions extends PublishOptions, EffectOptions {}

/**
 * Publishes events and sends commands. Inside a handler the messages go out with the handler's commit or not at all;
 * elsewhere they are committed at once, and so they are inside a handler of another connection: there an `id` keeps a
 * repeated handler from publishing twice.
 */
export class Publisher {
  private readonly publications: Publications;

  constructor(private readonly broker: Broker) {
    this.publications = new Publications((commit) => broker.commit(commit));
  }

  /**
   * Appends an event to this context's feed, where every subscribed context finds it.
   *
   * @throws MessageError when the event breaks its contract
   * @throws ConfigurationError when the event belongs to another context
   * @throws UnknownOutcomeError when the reply was lost and no `id` makes repeating safe
   */
  publish(event: object, options?: PublishOptions): Promise<Published> {
    const { telemetry } = this.broker;
    if (!telemetry) return this.publishNow(event, options);
    return this.watched(telemetry, 'publish', event, () => this.publishNow(event, options));
  }

  /**
   * Sends a command to the context that its type names, whether or not that is running.
   *
   * @throws MessageError when the command breaks its contract
   * @throws ConfigurationError for an effect without a name
   * @throws UnknownOutcomeError when the reply was lost and no `id` makes repeating safe
   */
  send(command: object, options: SendOptions = {}): Promise<Published> {
    if (!this.broker.telemetry) return this.sendNow(command, options);
    return this.watched(this.broker.telemetry, 'send', command, () => this.sendNow(command, options));
  }

  private publishNow(event: object, options?: PublishOptions): Promise<Published> {
    try {
      const contract = contractOf(event);
      if (contract.kind !== 'event') {
        throw new ConfigurationError(`${contract.type} is a ${contract.kind}: publish events, send commands`);
      }
      const plain = options === undefined && UnitOfWork.current(this.broker) === undefined;
      return plain ? this.plainly(event) : this.out(event, contract.kind, options ?? {});
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  private async sendNow(command: object, options: SendOptions): Promise<Published> {
    const contract = contractOf(command);
    if (contract.kind !== 'command') {
      throw new ConfigurationError(`${contract.type} is a ${contract.kind}: send commands, publish events`);
    }
    return this.out(command, contract.kind, options);
  }

  /** Most events: one message, outside of a handler, now. They share a commit, and cost one promise each. */
  private plainly(event: object): Promise<Published> {
    const { broker } = this;
    const wrapped = broker.messages.wrap(event);
    const passed = broker.messages.pass(wrapped, 'event');
    const message = passed instanceof Promise || passed.length !== 1 ? undefined : passed[0]!;
    if (message?.kind !== 'event') return this.onward(wrapped, passed, {});
    checkOwn(broker, message.envelope.type);
    const published = new Published(wrapped.id, false);
    return this.publications.add(broker.partitionFor(keyOf(message.envelope)), message.text).then(() => published);
  }

  /** Nothing is awaited unless a transform or the target waits: what is not awaited is staged all the same. */
  private async out(message: object, kind: MessageKind, options: SendOptions): Promise<Published> {
    const { broker } = this;
    const { id, key } = options;
    const wrapped = broker.messages.wrap(message, {
      ...(key === undefined ? {} : { partitionkey: key }),
      ...(id === undefined ? {} : { id }),
      ...effectAttributes(options),
    });
    return this.onward(wrapped, broker.messages.pass(wrapped, kind, isDelayed(options)), options);
  }

  private async onward(
    wrapped: Envelope,
    passed: readonly OutboundMessage[] | Promise<readonly OutboundMessage[]>,
    options: PublishOptions,
  ): Promise<Published> {
    const { broker } = this;
    const outbound = passed instanceof Promise ? await passed : passed;
    const [first] = outbound;
    if (!first) return new Published(wrapped.id, false);
    const cause = first.envelope.id === wrapped.id ? first.envelope : { ...first.envelope, id: wrapped.id };
    const due = dueOf(options, broker.clock.now());
    if (due !== undefined) return this.later(cause, outbound, due, options);
    const sending = send(broker, outbound);
    const { feed, events, emits } = sending instanceof Promise ? await sending : sending;
    return this.write(cause, options, feed, feed ? { kind: 'append', events } : undefined, emits);
  }

  private watched(
    telemetry: Telemetry,
    operation: 'publish' | 'send',
    message: object,
    work: () => Promise<Published>,
  ): Promise<Published> {
    const type = findContract(message)?.type ?? 'unknown';
    return telemetry.sending({ type, operation }, UnitOfWork.current(this.broker) !== undefined, work);
  }

  /** A timer that the scheduler knows, kept where the handler's commit is, or that of the key. */
  private async later(
    message: Envelope,
    outbound: readonly OutboundMessage[],
    due: number,
    options: PublishOptions,
  ): Promise<Published> {
    const { broker } = this;
    const [first, second] = outbound;
    if (second) {
      throw new ConfigurationError(
        `outbound transforms make ${outbound.length} messages of ${message.type}, which is delayed: what is delayed is one ` +
          `message; delay a command whose handler sends the rest`,
      );
    }
    const to = await targetOf(broker, first!);
    const byKey = broker.partitionFor(keyOf(message));
    const { id, timer, partition } = newPlaceIn(broker, ownPartition(broker, UnitOfWork.current(broker)) ?? byKey);
    const write: Write = { kind: 'timer', id: timer, due, message: first!.text, to, partition };
    const published = await this.write(message, options, undefined, undefined, [write]);
    broker.alarm.set(due);
    return published.duplicate ? published : new Published(published.id, false, id);
  }

  /** @param feed where the events of `append` go */
  private async write(
    message: Envelope,
    { id, dedupeWindowMs }: PublishOptions,
    feed: Partition | undefined,
    append: Write | undefined,
    elsewhere: readonly Write[],
  ): Promise<Published> {
    const { broker } = this;
    const guard = id === undefined ? undefined : dedupeGuard(broker, message, dedupeWindowMs);
    const guards = guard ? [guard] : [];
    const appends = append ? [append] : [];
    const unit = UnitOfWork.current(broker);
    if (!unit) {
      const partition = feed ?? broker.partitionFor(keyOf(message));
      const { status } = await broker.commit({ partition, guards, writes: [...appends, ...elsewhere] });
      return new Published(message.id, status === 'refused');
    }
    // Refused, the guard would take all that the handler decides with it. Who was faster all the same makes it run again.
    if (guard && (await isKnown(broker, unit, guard))) return new Published(message.id, true);
    if (feed) {
      const partition = (message.partitionkey === undefined && unit.partition) || feed;
      unit.stage(partition, { guards, writes: appends });
      if (elsewhere.length > 0) unit.addElsewhere({ writes: elsewhere });
    } else unit.addElsewhere({ guards, writes: elsewhere });
    return new Published(message.id, false);
  }
}
