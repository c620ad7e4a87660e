import type { Envelope, MessageClass } from '@millrace/messages';
import { findContract } from '@millrace/messages';
import { DeclaredSchedules } from './declared-schedules.js';
import { ConfigurationError } from './errors.js';
import { groupOptionsIn, joinOptions } from './group-options.js';
import type { GroupOptions } from './group-options.js';
import { checkName } from './keys.js';
import type { EntryRef, Log } from './partition.js';

/** What a handler can know about the message beside its data. */
export interface MessageContext {
  readonly envelope: Envelope;
  readonly entry: EntryRef;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /**
   * Aborted when nobody waits for the handler any more: it took longer than `handlerTimeoutMs`, or the service stops and
   * has waited `drainMs` for it.
   */
  readonly signal: AbortSignal;
}

/** A function that handles one type of message for one group. */
export interface HandlerDeclaration {
  /** For logs and errors: `StockHandlers.reserve`. */
  readonly name: string;
  /** The message type; with `accepts` it is only a label. */
  readonly type: string;
  /** The class that data become instances of. Without it the handler gets plain data, unchecked. */
  readonly contract?: MessageClass;
  /** Takes every message for which it answers true, after handlers that name its type. */
  readonly accepts?: (message: Envelope) => boolean;
  /** The context whose log is read: the own one for the inbox. */
  readonly context: string;
  readonly log: Log;
  /** Name of the group, after the own context's name: `mailer` reads as `order.mailer`. Default: the context's group. */
  readonly group?: string;
  /** Every process gets every event of the feed from its start on, beside all groups. Default false. */
  readonly everyInstance?: boolean;
  /** It sends its replies itself, or none: what it returns is no reply. Default false. */
  readonly ownReplies?: boolean;
  /** How the group consumes; handlers of one group must not differ. */
  readonly options?: GroupOptions;
  /** Returns the reply, if the message wants one. */
  handle(data: object, context: MessageContext): Promise<object | void> | object | void;
}

/** The handlers of one group. */
export class HandlerGroup {
  private readonly byType = new Map<string, HandlerDeclaration>();
  private readonly accepting: HandlerDeclaration[] = [];
  private readonly logs = new Map<string, { readonly context: string; readonly log: Log }>();

  private readonly handlers: HandlerDeclaration[] = [];

  constructor(
    /** Unique in the system: `order` or `order.mailer`. */
    readonly name: string,
    /** As it is written in the service: `order` for the context's own group, or `mailer`. */
    readonly label: string = name,
  ) {}

  /**
   * The options that its handlers declare.
   *
   * @throws ConfigurationError when two differ
   */
  get options(): GroupOptions {
    return joinOptions(this.label, this.handlers);
  }

  /** @throws ConfigurationError when another handler has the same type */
  add(handler: HandlerDeclaration): void {
    if (handler.accepts) this.accepting.push(handler);
    else {
      const other = this.byType.get(handler.type);
      if (other) {
        throw new ConfigurationError(
          `${other.name} and ${handler.name} both handle ${handler.type} in group '${this.name}': ` +
            `one would take the other's messages; give one of them its own group`,
        );
      }
      this.byType.set(handler.type, handler);
    }
    this.handlers.push(handler);
    this.logs.set(`${handler.context}/${handler.log}`, { context: handler.context, log: handler.log });
  }

  find(message: Envelope): HandlerDeclaration | undefined {
    return this.byType.get(message.type) ?? this.accepting.find((handler) => handler.accepts?.(message));
  }

  /** Its handlers, as they were declared. */
  get declared(): readonly HandlerDeclaration[] {
    return this.handlers;
  }

  /** The logs this group reads. */
  get sources(): readonly { readonly context: string; readonly log: Log }[] {
    return [...this.logs.values()];
  }
}

/** All handlers of a service, by group. Filled before the service starts to consume. */
export class Subscriptions {
  readonly groups = new Map<string, HandlerGroup>();
  /** Handlers that every process runs for every event. */
  readonly everyInstance: HandlerDeclaration[] = [];
  /** What the service sends again and again. */
  readonly schedules = new DeclaredSchedules();
  private readonly commands = new Map<string, string>();

  constructor(private readonly context: string) {}

  /** @throws ConfigurationError for a duplicate, a bad name, or a command of another context */
  add(handler: HandlerDeclaration): void {
    const contract = handler.contract && findContract(handler.contract);
    if (contract?.kind === 'command' && handler.context !== this.context) {
      throw new ConfigurationError(
        `${handler.name} handles ${handler.type}, a command of context '${handler.context}', in service '${this.context}': ` +
          `only its own context handles a command`,
      );
    }
    if (contract?.kind === 'command') this.checkOnlyHandler(handler);
    if (handler.everyInstance) {
      checkEveryInstance(handler);
      this.everyInstance.push(handler);
      return;
    }
    const name = handler.group === undefined ? this.context : `${this.context}.${checkName(handler.group, 'group')}`;
    let group = this.groups.get(name);
    if (!group) this.groups.set(name, (group = new HandlerGroup(name, handler.group)));
    group.add(handler);
  }

  /** In whatever groups they are: a command done twice is a defect. */
  private checkOnlyHandler(handler: HandlerDeclaration): void {
    const other = this.commands.get(handler.type);
    if (other) {
      throw new ConfigurationError(
        `${other} and ${handler.name} both handle ${handler.type}: a command has one handler; remove one of them`,
      );
    }
    this.commands.set(handler.type, handler.name);
  }
}

/** What an event that is not acknowledged can have. */
const WITHOUT_GROUP: readonly string[] = ['concurrency', 'prefetch', 'readCount', 'retry'];

function checkEveryInstance({ name, group, log, options = {} }: HandlerDeclaration): void {
  const without = Object.keys(groupOptionsIn(options)).filter((option) => !WITHOUT_GROUP.includes(option));
  if (group !== undefined) without.unshift('group');
  if (log !== 'feed') throw new ConfigurationError(`${name} has everyInstance: true, which is for events only`);
  if (without.length === 0) return;
  throw new ConfigurationError(
    `${name} has everyInstance: true and ${without.join(', ')}: without a group there is nothing this could apply to; remove one`,
  );
}
