import type { Envelope, MessageClass } from '@millrace/messages';
import { contextOf, findContract } from '@millrace/messages';
import { entryTypes, kindIn, Pipeline } from '@millrace/transforms';
import type { Transform } from '@millrace/transforms';
import { DeclaredSchedules } from './declared-schedules.js';
import type { BatchHandler } from './batch.js';
import { ConfigurationError } from './errors.js';
import { groupOptionsIn, joinOptions } from './group-options.js';
import type { GroupOptions } from './group-options.js';
import { checkName } from './keys.js';
import type { MessageContext } from './message-context.js';
import { ownLog } from './partition.js';
import type { Log } from './partition.js';

export type { MessageContext } from './message-context.js';

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
  /** Telemetry leaves it out: it only lets messages pass. Default false. */
  readonly unwatched?: boolean;
  /** Takes only what a router of the inbound transforms sends this way; without, also what no other route takes. */
  readonly route?: string;
  /** Applied to the messages of this handler, behind the inbound transforms of the service and of the group. */
  readonly inbound?: readonly Transform[];
  /** Takes messages many at a time; {@link inBatches} makes it, with `handle` for one alone. */
  readonly batch?: BatchHandler;
  /** How the group consumes; handlers of one group must not differ. */
  readonly options?: GroupOptions;
  /** Returns the reply, if the message wants one. */
  handle(data: object, context: MessageContext): Promise<object | void> | object | void;
}

/** The handlers of one group. */
export class HandlerGroup {
  /** Inbound transforms of this group, behind those of the service. */
  inbound: readonly Transform[] = [];
  /** Messages that a transform has dropped, since the service started. */
  filtered = 0;
  /** Commands that came after their effect had been undone, and were not handled, since the service started. */
  superseded = 0;

  private readonly byType = new Map<string, HandlerDeclaration>();
  private readonly byRoute = new Map<string, HandlerDeclaration>();
  private readonly accepting: HandlerDeclaration[] = [];
  private readonly pipelines = new Map<HandlerDeclaration, Pipeline>();
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

  /** Whether any of its handlers takes messages in batches. */
  get hasBatches(): boolean {
    return this.handlers.some(({ batch }) => batch);
  }

  /** @throws ConfigurationError when another handler has the same type and route */
  add(handler: HandlerDeclaration): void {
    if (handler.accepts) this.accepting.push(handler);
    else for (const type of typesOf(handler)) this.addType(type, handler);
    this.handlers.push(handler);
    if (handler.inbound) this.pipelines.set(handler, new Pipeline(handler.inbound));
    for (const source of sourcesOf(handler)) this.logs.set(`${source.context}/${source.log}`, source);
  }

  /** @param route chosen by a router; its handler comes before one without a route */
  find(message: Envelope, route?: string): HandlerDeclaration | undefined {
    const routed = route === undefined ? undefined : this.byRoute.get(`${message.type} ${route}`);
    return routed ?? this.byType.get(message.type) ?? this.accepting.find((handler) => handler.accepts?.(message));
  }

  /** Whether some handler takes this type, on whatever route. */
  takes(type: string): boolean {
    return (
      this.byType.has(type) ||
      this.accepting.length > 0 ||
      this.handlers.some((handler) => handler.route !== undefined && typesOf(handler).includes(type))
    );
  }

  /** Whether a message of this type goes somewhere on this route: to its handler, or to one without a route. */
  handles(type: string, route: string): boolean {
    return this.byRoute.has(`${type} ${route}`) || this.byType.has(type) || this.accepting.length > 0;
  }

  /** Reads its own log in a context that it need not read otherwise: its aggregates wait there. */
  readOwn(context: string): void {
    const log = ownLog(this.name);
    this.logs.set(`${context}/${log}`, { context, log });
  }

  /** Whether some of its messages are gathered, for a time that ends by itself. */
  isTimed(common: readonly Transform[]): boolean {
    const all = [...common, ...this.inbound, ...this.handlers.flatMap(({ inbound = [] }) => inbound)];
    return all.some((transform) => transform.shape === 'gather' && transform.withinMs !== undefined);
  }

  /** The handler's own transforms; undefined when it has none. */
  pipelineOf(handler: HandlerDeclaration): Pipeline | undefined {
    return handler.inbound && this.pipelines.get(handler);
  }

  /** Its handlers, as they were declared. */
  get declared(): readonly HandlerDeclaration[] {
    return this.handlers;
  }

  /** The logs this group reads. */
  get sources(): readonly { readonly context: string; readonly log: Log }[] {
    return [...this.logs.values()];
  }

  private addType(type: string, handler: HandlerDeclaration): void {
    const { route } = handler;
    const [handlers, key] = route === undefined ? [this.byType, type] : [this.byRoute, `${type} ${route}`];
    const other = handlers.get(key);
    if (other) {
      throw new ConfigurationError(
        `${other.name} and ${handler.name} both handle ${type}${route === undefined ? '' : ` on route '${route}'`} in group '${this.name}': ` +
          `one would take the other's messages; give one of them its own group`,
      );
    }
    handlers.set(key, handler);
  }
}

/** A group of one handler, which no store knows. */
export function alone(handler: HandlerDeclaration): HandlerGroup {
  const group = new HandlerGroup(handler.name);
  group.add(handler);
  return group;
}

/** The types that a handler takes: its own, and those that its transforms make into it. */
function typesOf({ type, inbound }: HandlerDeclaration): readonly string[] {
  return inbound ? entryTypes(inbound, type) : [type];
}

/** The logs with the messages of a handler: events that its transforms take come from the feeds of their contexts. */
function sourcesOf(handler: HandlerDeclaration): { readonly context: string; readonly log: Log }[] {
  const { type, context, log, inbound } = handler;
  const foreign = (inbound ? entryTypes(inbound, type) : []).filter(
    (each) => each !== type && (kindIn(inbound!, each) ?? (log === 'feed' ? 'event' : 'command')) === 'event',
  );
  return [{ context, log }, ...foreign.map((each) => ({ context: contextOf(each), log: 'feed' as const }))];
}

/** All handlers of a service, by group. Filled before the service starts to consume. */
export class Subscriptions {
  readonly groups = new Map<string, HandlerGroup>();
  /** Handlers that every process runs for every event. */
  readonly everyInstance: HandlerDeclaration[] = [];
  /** What the service sends again and again. */
  readonly schedules = new DeclaredSchedules();
  private readonly commands = new Map<string, string>();

  /** @param watch puts something around a handler of a group: {@link watchedBy} */
  constructor(
    readonly context: string,
    private readonly watch?: (handler: HandlerDeclaration, group: string) => HandlerDeclaration,
  ) {}

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
      this.everyInstance.push(this.watch?.(handler, handler.name) ?? handler);
      return;
    }
    const name = handler.group === undefined ? this.context : `${this.context}.${checkName(handler.group, 'group')}`;
    let group = this.groups.get(name);
    if (!group) this.groups.set(name, (group = new HandlerGroup(name, handler.group)));
    group.add(handler.unwatched ? handler : (this.watch?.(handler, name) ?? handler));
  }

  /** In whatever groups they are: a command done twice is a defect. */
  private checkOnlyHandler(handler: HandlerDeclaration): void {
    const command = `${handler.type} ${handler.route ?? ''}`;
    const other = this.commands.get(command);
    if (other) {
      throw new ConfigurationError(
        `${other} and ${handler.name} both handle ${handler.type}: a command has one handler; remove one of them`,
      );
    }
    this.commands.set(command, handler.name);
  }
}

/** What an event that is not acknowledged can have. */
const WITHOUT_GROUP: readonly string[] = ['concurrency', 'prefetch', 'prefetchBytes', 'readCount', 'retry'];

function checkEveryInstance({ name, group, log, options = {} }: HandlerDeclaration): void {
  const without = Object.keys(groupOptionsIn(options)).filter((option) => !WITHOUT_GROUP.includes(option));
  if (group !== undefined) without.unshift('group');
  if (log !== 'feed') throw new ConfigurationError(`${name} has everyInstance: true, which is for events only`);
  if (without.length === 0) return;
  throw new ConfigurationError(
    `${name} has everyInstance: true and ${without.join(', ')}: without a group there is nothing this could apply to; remove one`,
  );
}
