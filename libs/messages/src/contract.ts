import 'reflect-metadata';
import { MessageError } from './message-error.js';

/** What a message is for: events report facts, commands ask, replies answer. */
export type MessageKind = 'event' | 'command' | 'reply';

/** A class that describes the data of one message type. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- contracts are constructed by plainToInstance, whatever their parameters
export type MessageClass<T extends object = object> = abstract new (...args: any[]) => T;

/** The contract that `@Event`, `@Command` or `@Reply` wrote on a class. */
export interface Contract {
  readonly kind: MessageKind;
  /** The CloudEvents `type`, e.g. `order.placed`. Its first word is the context that owns it. */
  readonly type: string;
  /** Schema version, 1 unless declared; carried as `schemaversion`. */
  readonly version: number;
  /** True for a reply that says no. */
  readonly failure: boolean;
  /** The property that is the partition key, if any. */
  readonly key: string | undefined;
}

export interface ContractOptions {
  /** Schema version of the data, a positive integer. Default 1. */
  readonly version?: number;
  /** The property that is the partition key: messages with the same value are handled in order. */
  readonly key?: string;
}

export interface ReplyOptions extends ContractOptions {
  /** This reply refuses the command: a saga turns round on it. Default false. */
  readonly failure?: boolean;
}

const CONTRACT = Symbol.for('millrace:contract');
const TYPE_NAME = /^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$/;

/**
 * Declares a fact that has happened.
 *
 * @param type CloudEvents type in lower case, `<context>.<what-happened>`, e.g. `order.placed`.
 * @throws MessageError `invalid-type` when the name does not have that form.
 */
export function Event(type: string, options: ContractOptions = {}): ClassDecorator {
  return declare('event', type, options);
}

/** Declares an answer to a command. `failure: true` marks the answer as a refusal. */
export function Reply(type: string, options: ReplyOptions = {}): ClassDecorator {
  return declare('reply', type, options);
}

declare const replies: unique symbol;

/**
 * The type-level half of a command: which reply means success, which means refusal. Exists for the compiler only.
 */
export interface CommandReplies<Success, Failure> {
  readonly [replies]?: { success: Success; failure: Failure };
}

interface CommandDeclaration {
  (type: string, options?: ContractOptions): ClassDecorator;
  new <Success extends object, Failure extends object = never>(): CommandReplies<Success, Failure>;
}

/**
 * Declares a request to another context. Decorator and base class in one, so the replies stand beside the name:
 *
 * ```ts
 * @Command('catalog.reserve-stock')
 * class ReserveStock extends Command<StockReserved, OutOfStock> { ... }
 * ```
 */
export const Command = function (this: unknown, type: string, options: ContractOptions = {}) {
  return new.target ? undefined : declare('command', type, options);
} as unknown as CommandDeclaration;

/** The success replies of a command class. */
export type SuccessOf<C> = C extends CommandReplies<infer S, unknown> ? S : never;
/** The failure replies of a command class; `never` when it cannot refuse. */
export type FailureOf<C> = C extends CommandReplies<unknown, infer F> ? F : never;
/** Every reply that a command can get. */
export type RepliesOf<C> = SuccessOf<C> | FailureOf<C>;

/**
 * The contract of a class or of an instance of it.
 *
 * @throws MessageError `undeclared` when it has none.
 */
export function contractOf(message: object | MessageClass): Contract {
  const contract = findContract(message);
  if (!contract) {
    const name = (typeof message === 'function' ? message : message.constructor).name || 'an object literal';
    throw new MessageError(
      'undeclared',
      `${name} is not a message: decorate its class with @Event, @Command or @Reply`,
    );
  }
  return contract;
}

/** As {@link contractOf}, but undefined instead of an error. */
export function findContract(message: object | MessageClass): Contract | undefined {
  const target = typeof message === 'function' ? message : message.constructor;
  return typeof target === 'function' ? (Reflect.getOwnMetadata(CONTRACT, target) as Contract | undefined) : undefined;
}

const replyClasses = new Map<string, MessageClass[]>();

/** The classes declared with `@Reply` and this type in this process: a reply that comes back becomes an instance of one. */
export function replyClassesOf(type: string): readonly MessageClass[] {
  return replyClasses.get(type) ?? [];
}

/** The context that owns a message type: its first word. */
export function contextOf(type: string): string {
  const dot = type.indexOf('.');
  return dot < 0 ? type : type.slice(0, dot);
}

function declare(kind: MessageKind, type: string, options: ReplyOptions): ClassDecorator {
  if (!TYPE_NAME.test(type) || type.length > 128) {
    throw new MessageError(
      'invalid-type',
      `'${type}' is not a message type: write '<context>.<name>' in lower case with hyphens, e.g. 'order.placed'`,
    );
  }
  const version = options.version ?? 1;
  if (!Number.isInteger(version) || version < 1) {
    throw new MessageError('invalid-type', `version of '${type}' is ${version}: it must be a positive integer`);
  }
  const contract: Contract = { kind, type, version, failure: options.failure ?? false, key: options.key };
  return (target) => {
    Reflect.defineMetadata(CONTRACT, contract, target);
    if (kind === 'reply') replyClasses.set(type, [...replyClassesOf(type), target as unknown as MessageClass]);
  };
}
