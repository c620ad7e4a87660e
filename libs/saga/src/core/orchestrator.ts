import { ConfigurationError, Defer, NonRetryableError, silent } from '@millrace/broker';
import type { Logger, MessageContext, Subscriptions } from '@millrace/broker';
import { contextOf, contractOf, findContract, MessageError } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { parseCommandId } from './command-id.js';
import { replyClassesOf, waitsOf } from './definition.js';
import type { WaitNode } from './definition.js';
import type { Asker } from './instance.js';
import { ChildNotUndone, LockKey, SagaWake, StartSaga, UndoChild, UnlockKey } from './internal-messages.js';
import type { AnyDefinition } from './runtime/saga-definitions.js';
import type { SagaInstances } from './runtime/saga-instances.js';
import type { SagaLocks } from './runtime/saga-locks.js';
import { UnknownSagaVersionError } from './runtime/unknown-version.js';
import type { ReplyInput, SagaInput } from './transition.js';

/** How long a message waits before it is looked at again for an instance whose definition this process does not have. */
const DECLINED_FOR_MS = 1000;

/** How long processes of other versions have for a message; then it is a dead letter, which can be redriven when one is there. */
const DECLINED_AT_MOST_MS = 60 * 60 * 1000;

/** Runs the sagas of a service: finds the instance that each message is for, and moves it. */
export class Orchestrator {
  private readonly replies = new Map<string, MessageClass>();
  /** What each saga starts on and waits for, by type: one handler for all of its versions. */
  private readonly events = new Map<string, EventUse>();

  constructor(
    /** The own context, whose inbox gets replies and what is due. */
    private readonly context: string,
    private readonly subscriptions: Subscriptions,
    private readonly instances: SagaInstances,
    private readonly locks: SagaLocks,
    private readonly logger: Logger = silent,
  ) {}

  /**
   * Takes a saga up, before the service starts to consume.
   *
   * @throws ConfigurationError when one of this name and version is here already, or two reply classes have one type
   */
  add(definition: AnyDefinition): void {
    const { definitions } = this.instances;
    if (definitions.names.length === 0) this.subscribeToInbox();
    definitions.add(definition);
    const { on } = definition.start;
    if (on) {
      if (contractOf(on).kind === 'command') this.subscribeToCommand(definition, on);
      else this.use(definition, on).starts = true;
    }
    for (const wait of waitsOf(definition)) this.use(definition, wait.event).waits.push(wait);
    for (const reply of replyClassesOf(definition)) this.subscribeToReply(reply);
  }

  /** A group for each saga, so that several can start on, and wait for, the same event. */
  private use({ name }: AnyDefinition, event: MessageClass): EventUse {
    const { type } = contractOf(event);
    const known = this.events.get(`${name} ${type}`);
    if (known) return known;
    const use: EventUse = { starts: false, waits: [] };
    this.events.set(`${name} ${type}`, use);
    this.subscriptions.add({
      name: `saga ${name}`,
      type,
      contract: event,
      context: contextOf(type),
      log: 'feed',
      group: `saga.${name}`,
      handle: (data, context) => this.happen(name, use, type, data, context),
    });
    return use;
  }

  private happen(
    saga: string,
    use: EventUse,
    type: string,
    data: object,
    context: MessageContext,
  ): Promise<void> | void {
    if (!use.starts) return this.come(saga, use, type, data, context);
    const id = this.instances.definitions.newest(saga)!.start.id(data);
    if (use.waits.length === 0) return this.start(saga, id, data, context);
    // An event that starts one instance and is waited for by another is two events, which one commit cannot hold.
    const go = (found: unknown) =>
      found ? this.come(saga, use, type, data, context) : this.start(saga, id, data, context);
    return this.instances.find(saga, id).then(go);
  }

  private come(saga: string, use: EventUse, type: string, data: object, context: MessageContext): Promise<void> | void {
    const [id, ...others] = new Set(use.waits.map((wait) => wait.id(data)));
    if (others.length > 0) {
      const ids = [id, ...others].join(', ');
      throw new NonRetryableError(
        `${type} ${context.envelope.id} is for several instances of saga '${saga}': ${ids}; an event moves one, so let all waits for it say the same id`,
      );
    }
    if (id !== undefined) return this.move(saga, id, { kind: 'event', type, data }, context);
  }

  /** A command starts an instance, which answers it at its end. */
  private subscribeToCommand({ name }: AnyDefinition, command: MessageClass): void {
    const { type } = contractOf(command);
    if (contextOf(type) !== this.context) {
      throw new ConfigurationError(
        `saga '${name}' starts on ${type}, a command to context '${contextOf(type)}': this service is '${this.context}'`,
      );
    }
    this.subscriptions.add({
      ...this.inbox,
      name: `saga ${name}`,
      type,
      contract: command,
      ownReplies: true,
      handle: (data, context) => {
        const { replyto, id: commandId } = context.envelope;
        const id = this.instances.definitions.newest(name)!.start.id(data);
        return this.start(name, id, data, context, replyto === undefined ? undefined : { replyto, commandId });
      },
    });
  }

  private start(saga: string, id: string, input: object, context: MessageContext, asker?: Asker): Promise<void> | void {
    const { correlationid } = context.envelope;
    const start = {
      kind: 'start' as const,
      id,
      input,
      ...(correlationid === undefined ? {} : { correlationid }),
      ...(asker ? { asker } : {}),
    };
    return this.move(saga, id, start, context);
  }

  /** Replies of a class that some step handles are checked by it. */
  private subscribeToReply(reply: MessageClass): void {
    const { type } = contractOf(reply);
    const known = this.replies.get(type);
    if (known === reply) return;
    if (known) {
      throw new ConfigurationError(`${known.name} and ${reply.name} are both ${type}: let the sagas share one class`);
    }
    this.replies.set(type, reply);
    this.subscriptions.add({
      ...this.inbox,
      type,
      contract: reply,
      handle: (data, context) => this.take(data, context),
    });
  }

  /** What is due, what sagas of this service ask of each other, and the replies of which only the outcome counts. */
  private subscribeToInbox(): void {
    this.handle(SagaWake, ({ saga, id, resume = false }, context) => {
      if (!this.instances.definitions.has(saga)) {
        throw new NonRetryableError(`saga ${saga} ${id} is due: this service does not run that saga (any more)`);
      }
      return this.move(saga, id, { kind: 'wake' }, context, resume);
    });
    this.handle(StartSaga, ({ saga, id, input }, context) => {
      const { replyto, id: commandId } = context.envelope;
      const asker: Asker | undefined = replyto === undefined ? undefined : { replyto, commandId, parent: true };
      return this.start(saga, id, input, context, asker);
    });
    this.handle(UndoChild, ({ saga, id }, context) => this.undoChild(saga, id, context));
    this.handle(LockKey, ({ key, holder, otherwise }, { envelope }) =>
      this.locks.lock({ key, holder, ...asked(envelope) }, otherwise),
    );
    this.handle(UnlockKey, ({ key, holder }, { envelope }) =>
      this.locks.unlock({ key, holder, ...asked(envelope) }, envelope.replyto !== undefined),
    );
    this.subscriptions.add({
      ...this.inbox,
      type: 'any reply to a saga',
      accepts: ({ inreplyto }) => this.addressee(inreplyto) !== undefined,
      handle: (data, context) => this.take(data, context),
    });
  }

  private handle<T extends object>(
    contract: MessageClass<T>,
    handle: (data: T, context: MessageContext) => Promise<object | void> | object | void,
  ): void {
    const { type } = contractOf(contract);
    this.subscriptions.add({
      ...this.inbox,
      type,
      contract,
      handle: (data, context) => handle(data as T, context),
    });
  }

  private async undoChild(saga: string, id: string, context: MessageContext): Promise<object | void> {
    const { replyto, id: commandId } = context.envelope;
    const asker: Asker = { replyto: replyto!, commandId, parent: true };
    try {
      const found = await this.instances.find(saga, id);
      if (!found) return new ChildNotUndone('it has not been started yet');
      const refusal = await this.instances.refusalOf(found, { kind: 'undo', asker });
      if (refusal !== undefined) return new ChildNotUndone(refusal);
    } catch (error) {
      this.decline(error, context);
    }
    await this.move(saga, id, { kind: 'undo', asker }, context);
  }

  private take(data: object, context: MessageContext): Promise<void> | void {
    const { envelope } = context;
    const to = this.addressee(envelope.inreplyto);
    if (!to) return this.logger.debug(`${envelope.type} ${envelope.id} answers no saga of this service`);
    const reply: ReplyInput = {
      kind: 'reply',
      inReplyTo: envelope.inreplyto!,
      outcome: outcomeOf(envelope, data),
      type: envelope.type,
      data,
    };
    return this.move(to.saga, to.id, reply, context);
  }

  private move(
    saga: string,
    id: string,
    input: SagaInput,
    context: MessageContext,
    resume = false,
  ): Promise<void> | void {
    try {
      const moved = this.instances.move(saga, id, input, {
        resume,
        again: (context.conflicts ?? 0) > 0,
        handling: context,
      });
      return moved?.catch((error: unknown) => this.decline(error, context));
    } catch (error) {
      this.decline(error, context);
    }
  }

  /** A process that does not have the definition of an instance leaves it to one that has: soon the message comes again. */
  private decline(error: unknown, { envelope, entry }: MessageContext): never {
    if (!(error instanceof UnknownSagaVersionError)) throw error;
    const since = arrivalOf(entry, envelope);
    if (since !== undefined && this.instances.now - since >= DECLINED_AT_MOST_MS) {
      throw new NonRetryableError(error.message);
    }
    this.logger.error(`${envelope.type} ${envelope.id} waits: ${error.message}`);
    throw Defer.forMs(DECLINED_FOR_MS);
  }

  private addressee(commandId: string | undefined) {
    const address = commandId === undefined ? undefined : parseCommandId(commandId);
    return address && this.instances.definitions.has(address.saga) ? address : undefined;
  }

  private get inbox() {
    return { name: 'sagas', context: this.context, log: 'in' } as const;
  }
}

/** When a message came here, ms since 1970: what is due may have been written long before. */
function arrivalOf({ id, source }: MessageContext['entry'], { time }: Envelope): number | undefined {
  if (source.log === 'in') return Number.parseInt(id, 10);
  return time === undefined ? undefined : Date.parse(time);
}

interface EventUse {
  starts: boolean;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- sagas with any state live side by side
  readonly waits: WaitNode<any>[];
}

function asked({ id: commandId, replyto = '', correlationid = '' }: Envelope) {
  return { commandId, replyto, correlationid };
}

/** A reply written by hand may leave the outcome to its class. */
function outcomeOf({ outcome, type, id }: Envelope, data: object): 'success' | 'failure' {
  if (outcome) return outcome;
  const contract = findContract(data);
  if (!contract) throw new MessageError('malformed', `reply ${type} ${id} has no 'outcome': success or failure`);
  return contract.failure ? 'failure' : 'success';
}
