import { Broker, parseAddress, Publisher, silent, Subscriber, Subscriptions } from '@millrace/broker';
import type { Clock, MessageWriter, PartitionStore } from '@millrace/broker';
import { contextOf, contractOf } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { Orchestrator, SagaDefinitions } from '@millrace/saga';
import type { PlayedInput, SagaAction, SagaDefinition, SagaInput, SagaInstance } from '@millrace/saga';
import { isDeepStrictEqual } from 'node:util';
import { cameAbout } from './came-about.js';
import { ScriptedCalls } from './scripted-calls.js';
import { Asked, ScriptedInstances, ScriptedLocks } from './scripted-sagas.js';

/** Where the answer to who started the saga goes. */
const STARTER = { replyto: 'scenario/0', id: 'scenario' };

/** A service that runs one saga on a store, and all whom the saga asks, who wait for the script's word. */
export class ScriptedService<State> {
  readonly clock = new ScriptClock();
  private readonly broker: Broker;
  private readonly instances: ScriptedInstances;
  private readonly calls = new ScriptedCalls();
  private readonly asked = new Asked();
  private readonly commands = new Map<string, Envelope>();
  private readonly subscribers: readonly Subscriber[];
  private readonly brokers = new Map<string, Broker>();
  /** What went wrong, as the service would log it. */
  readonly errors: string[] = [];

  constructor(
    private readonly store: PartitionStore,
    private readonly definition: SagaDefinition<State>,
    private readonly played: readonly PlayedInput[],
    context = contextFor(definition, played),
  ) {
    this.broker = this.brokerOf(context);
    this.instances = new ScriptedInstances(this.broker, new SagaDefinitions(), this.asked);
    const locks = new ScriptedLocks(this.broker, this.asked);
    const own = new Subscriptions(context);
    new Orchestrator(context, own, this.instances, locks).add(this.calls.scripted(definition));
    const participants = new Map([[context, own]]);
    for (const type of this.typesSent()) {
      const of = contextOf(type);
      const subscriptions = participants.get(of) ?? new Subscriptions(of);
      participants.set(of, subscriptions);
      subscriptions.add({
        name: `script: ${type}`,
        type,
        context: of,
        log: 'in',
        ownReplies: true,
        handle: (_, { envelope }) => void this.commands.set(envelope.id, envelope),
      });
    }
    const error = (message: string) => void this.errors.push(message);
    const logger = { ...silent, error };
    this.subscribers = [...participants].map(
      ([of, subscriptions]) =>
        new Subscriber(this.brokerOf(of), subscriptions, { blockMs: 20, timerLatencyMs: 5 }, logger),
    );
  }

  async start(): Promise<void> {
    await Promise.all(this.subscribers.map((subscriber) => subscriber.start()));
  }

  async stop(): Promise<void> {
    this.calls.release();
    await Promise.all(this.subscribers.map((subscriber) => subscriber.stop()));
  }

  /** The instance, as it is stored now. */
  stored(): Promise<SagaInstance | undefined> {
    return this.instances.find(this.definition.name, this.id);
  }

  /** Makes something happen in the way that it happens in a service. */
  async deliver(input: SagaInput): Promise<void> {
    switch (input.kind) {
      case 'wake':
        // The time has come: the timer of the instance fires by itself.
        return;
      case 'called':
        return this.calls.end(input.callId, input.result);
      case 'reply':
        return this.reply(input.inReplyTo, input.data);
      case 'event':
        return this.publish(input.data);
      case 'start':
        if (this.definition.start.on) return this.startBy(input.input);
        break;
      default:
    }
    await this.instances.act(this.definition.name, this.id, input);
  }

  /** Every command has arrived where it is handled, as the script has it. */
  async hasSent(actions: readonly SagaAction[]): Promise<void> {
    for (const action of actions) {
      if (action.kind !== 'send') continue;
      await cameAbout(`${action.id} has not arrived as the script has it`, () => {
        const arrived = this.commands.get(action.id);
        return arrived !== undefined && isDeepStrictEqual(arrived.data, JSON.parse(JSON.stringify(action.command)));
      });
    }
  }

  private async startBy(message: object): Promise<void> {
    if (contractOf(message).kind === 'event') return this.publish(message);
    await this.emit(message, STARTER, this.broker.partitionFor(this.id));
  }

  private async publish(event: object): Promise<void> {
    await new Publisher(this.brokerOf(contextOf(contractOf(event).type))).publish(event);
  }

  private async reply(inreplyto: string, data: object): Promise<void> {
    await cameAbout(`${inreplyto} was not sent`, () => this.commands.has(inreplyto) || this.asked.has(inreplyto));
    const { replyto, correlationid = this.id } = this.commands.get(inreplyto) ?? this.asked.of(inreplyto);
    await this.emit(data, { inreplyto, correlationid, partitionkey: correlationid }, parseAddress(replyto!)!);
  }

  private async emit(
    message: object,
    attributes: Parameters<MessageWriter['encode']>[1],
    to: NonNullable<ReturnType<typeof parseAddress>>,
  ): Promise<void> {
    const { text } = await this.broker.messages.encode(message, attributes);
    await this.broker.commit({ partition: to, guards: [], writes: [{ kind: 'emit', to, message: text }] });
  }

  private brokerOf(context: string): Broker {
    const known = this.brokers.get(context);
    const broker = known ?? new Broker(this.store, { context, partitions: 2, clock: this.clock });
    this.brokers.set(context, broker);
    return broker;
  }

  private typesSent(): ReadonlySet<string> {
    const actions = this.played.flatMap((each) => each.actions);
    return new Set(actions.flatMap((each) => (each.kind === 'send' ? contractOf(each.command).type : [])));
  }

  private get id(): string {
    return this.played[0]!.instance.id;
  }
}

/** The time of the script. */
class ScriptClock implements Clock {
  /** ms since 1970 */
  time = 0;

  now(): number {
    return this.time;
  }
}

/** The context that gets the command that starts the saga, or whose events the saga publishes, or one of its own. */
function contextFor<State>({ name, start }: SagaDefinition<State>, played: readonly PlayedInput[]): string {
  const contract = start.on && contractOf(start.on);
  if (contract?.kind === 'command') return contextOf(contract.type);
  const said = played.flatMap(({ actions }) =>
    actions.flatMap((each) => (each.kind === 'publish' ? each.message : [])),
  );
  const event = said.map((message) => contractOf(message)).find(({ kind }) => kind === 'event');
  return event ? contextOf(event.type) : name;
}
