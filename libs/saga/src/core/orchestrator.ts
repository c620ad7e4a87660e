import { ConfigurationError, NonRetryableError, silent } from '@millrace/broker';
import type { Logger, MessageContext, Subscriptions } from '@millrace/broker';
import { contextOf, contractOf, findContract, MessageError } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { parseCommandId } from './command-id.js';
import { replyClassesOf } from './definition.js';
import type { SagaDefinition } from './definition.js';
import { SagaDeadline } from './saga-deadline.js';
import type { SagaInstances } from './saga-instances.js';
import type { ReplyInput } from './transition.js';

/** Runs the sagas of a service: finds the instance that each start event, reply and deadline is for, and moves it. */
export class Orchestrator {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- sagas with any state live side by side
  private readonly sagas = new Map<string, SagaDefinition<any>>();
  private readonly replies = new Map<string, MessageClass>();

  constructor(
    /** The own context, whose inbox gets replies and deadlines. */
    private readonly context: string,
    private readonly subscriptions: Subscriptions,
    private readonly instances: SagaInstances,
    private readonly logger: Logger = silent,
  ) {}

  /**
   * Takes a saga up, before the service starts to consume.
   *
   * @throws ConfigurationError when one of this name is here already, or two reply classes have one type
   */
  add<State>(definition: SagaDefinition<State>): void {
    if (this.sagas.has(definition.name)) {
      throw new ConfigurationError(`saga '${definition.name}' is declared twice: give each saga its own name`);
    }
    if (this.sagas.size === 0) this.subscribeToInbox();
    this.sagas.set(definition.name, definition);
    this.subscribeToStart(definition);
    for (const reply of replyClassesOf(definition)) this.subscribeToReply(reply);
  }

  /** A group for each saga, so that several can start on the same event. */
  private subscribeToStart<State>(definition: SagaDefinition<State>): void {
    const { name, start } = definition;
    const { type } = contractOf(start.event);
    this.subscriptions.add({
      name: `saga ${name}`,
      type,
      contract: start.event,
      context: contextOf(type),
      log: 'feed',
      group: `saga.${name}`,
      handle: (event, { envelope: { correlationid } }) => {
        const id = start.id(event);
        return this.instances.move(definition, id, {
          kind: 'start',
          id,
          event,
          ...(correlationid === undefined ? {} : { correlationid }),
        });
      },
    });
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

  /** Deadlines, and the replies of which only the outcome counts. */
  private subscribeToInbox(): void {
    this.subscriptions.add({
      ...this.inbox,
      type: contractOf(SagaDeadline).type,
      contract: SagaDeadline,
      handle: (data) => this.wake(data as SagaDeadline),
    });
    this.subscriptions.add({
      ...this.inbox,
      type: 'any reply to a saga',
      accepts: ({ inreplyto }) => this.addressee(inreplyto) !== undefined,
      handle: (data, context) => this.take(data, context),
    });
  }

  private take(data: object, { envelope }: MessageContext): Promise<void> | void {
    const to = this.addressee(envelope.inreplyto);
    if (!to) return this.logger.debug(`${envelope.type} ${envelope.id} answers no saga of this service`);
    const reply: ReplyInput = {
      kind: 'reply',
      inReplyTo: envelope.inreplyto!,
      outcome: outcomeOf(envelope, data),
      type: envelope.type,
      data,
    };
    return this.instances.move(to.definition, to.id, reply);
  }

  private wake({ kind, commandId }: SagaDeadline): Promise<void> {
    const to = this.addressee(commandId);
    if (!to) throw new NonRetryableError(`${kind} of ${commandId}: this service does not run that saga (any more)`);
    return this.instances.move(to.definition, to.id, { kind, commandId });
  }

  private addressee(commandId: string | undefined) {
    const address = commandId === undefined ? undefined : parseCommandId(commandId);
    const definition = address && this.sagas.get(address.saga);
    return definition && { definition, id: address.id };
  }

  private get inbox() {
    return { name: 'sagas', context: this.context, log: 'in' } as const;
  }
}

/** A reply written by hand may leave the outcome to its class. */
function outcomeOf({ outcome, type, id }: Envelope, data: object): 'success' | 'failure' {
  if (outcome) return outcome;
  const contract = findContract(data);
  if (!contract) throw new MessageError('malformed', `reply ${type} ${id} has no 'outcome': success or failure`);
  return contract.failure ? 'failure' : 'success';
}
