import 'reflect-metadata';
import { getMetadataStorage } from 'class-validator';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MessageError } from './message-error.js';
import { checkSynchronous, schemaOf } from './standard-schema.js';

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
  /** What describes the data of a class that extends `Schema()`; absent: class-validator's decorators do. */
  readonly schema?: StandardSchemaV1<unknown, object>;
  /** The replies that a command says it can get; absent: it does not say. */
  readonly replies?: readonly MessageClass[];
}

export interface ContractOptions<Key extends string = string> {
  /** Schema version of the data, a positive integer. Default 1. */
  readonly version?: number;
  /** The property that is the partition key: messages with the same value are handled in order. */
  readonly key?: Key;
}

export interface ReplyOptions<Key extends string = string> extends ContractOptions<Key> {
  /** This reply refuses the command: a saga turns round on it. Default false. */
  readonly failure?: boolean;
}

export interface CommandOptions<
  Key extends string = string,
  R extends readonly MessageClass[] = readonly MessageClass[],
> extends ContractOptions<Key> {
  /** The replies of `extends Command<...>` as values, for what describes the service, such as AsyncAPI. */
  readonly replies?: R;
}

/** A class that has the property which a contract names as its key. */
type Keyed<Key extends string> = MessageClass<{ readonly [P in Key]: unknown }>;

const CONTRACT = Symbol.for('millrace:contract');
const TYPE_NAME = /^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$/;

/**
 * Declares a fact that has happened.
 *
 * @param type CloudEvents type in lower case, `<context>.<what-happened>`, e.g. `order.placed`.
 * @throws MessageError `invalid-type` when the name does not have that form.
 */
export function Event<Key extends string = never>(
  type: string,
  options: ContractOptions<Key> = {},
): (target: Keyed<NoInfer<Key>>) => void {
  return declare('event', type, options);
}

/** Declares an answer to a command. `failure: true` marks the answer as a refusal. */
export function Reply<Key extends string = never>(
  type: string,
  options: ReplyOptions<Key> = {},
): (target: Keyed<NoInfer<Key>>) => void {
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
  <Key extends string = never, const R extends readonly MessageClass[] = readonly []>(
    type: string,
    options?: CommandOptions<Key, R>,
  ): <C extends Keyed<NoInfer<Key>>>(target: C & ListsAll<InstanceType<R[number]>, RepliesOf<InstanceType<C>>>) => void;
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
export const Command = function (this: unknown, type: string, options: CommandOptions = {}) {
  return new.target ? undefined : declare('command', type, options);
} as unknown as CommandDeclaration;

/** What the compiler names when `replies` are not those of `extends Command<...>`. */
export interface RepliesDiffer<Listed, Declared> {
  readonly [replies]: { readonly listed: Listed; readonly declared: Declared };
}

type ListsAll<Listed, Declared> = [Listed] extends [never]
  ? unknown
  : [Listed, Declared] extends [Declared, Listed]
    ? unknown
    : RepliesDiffer<Listed, Declared>;

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
    throw new MessageError('undeclared', `${named(message)} is not a message: ${REMEDY}`);
  }
  return contract;
}

const REMEDY = 'decorate its class with @Event, @Command or @Reply';

/** A class is undefined while two files that import each other are loaded. */
function named(message: object | MessageClass | undefined | null): string {
  if (message === undefined || message === null) return `${String(message)}, in place of a class or a message,`;
  return (typeof message === 'function' ? message : message.constructor).name || 'an object literal';
}

/** As {@link contractOf}, but undefined instead of an error. */
export function findContract(message: object | MessageClass): Contract | undefined {
  const target = typeof message === 'function' ? message : (message as object | undefined)?.constructor;
  if (typeof target !== 'function') return undefined;
  let contract = found.get(target);
  if (!contract) {
    contract = Reflect.getOwnMetadata(CONTRACT, target) as Contract | undefined;
    if (contract) found.set(target, contract);
  }
  return contract;
}

/** Every message asks for its contract, and reflect-metadata takes several look-ups. */
const found = new WeakMap<object, Contract>();

const classes = new Map<string, MessageClass[]>();

/** The classes declared with this type in this process. */
export function classesOf(type: string): readonly MessageClass[] {
  return classes.get(type) ?? [];
}

/** Those of them that are replies: a reply that comes back becomes an instance of one. */
export function replyClassesOf(type: string): readonly MessageClass[] {
  return classesOf(type).filter((contract) => contractOf(contract).kind === 'reply');
}

/** The context that owns a message type: its first word. */
export function contextOf(type: string): string {
  const dot = type.indexOf('.');
  return dot < 0 ? type : type.slice(0, dot);
}

const OPTIONS: readonly string[] = ['version', 'key', 'failure', 'replies'] satisfies (keyof (ReplyOptions &
  CommandOptions))[];

function declare(kind: MessageKind, type: string, options: ReplyOptions & CommandOptions): (target: object) => void {
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
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw new MessageError(
      'invalid-type',
      `'${type}' has ${unknown}, which is no option: write one of ${OPTIONS.join(', ')}`,
    );
  }
  const { failure = false, key, replies } = options;
  const contract: Contract = { kind, type, version, failure, key, ...(replies && { replies }) };
  return (target) => {
    const schema = schemaOf(target);
    if (schema) checkSchema(schema, type, target);
    Reflect.defineMetadata(CONTRACT, schema ? { ...contract, schema } : contract, target);
    classes.set(type, [...classesOf(type), target as MessageClass]);
  };
}

function checkSchema(schema: StandardSchemaV1, type: string, target: object): void {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- class-validator takes any constructor
  if (getMetadataStorage().getTargetValidationMetadatas(target as Function, '', false, false).length > 0) {
    const { name } = target as { readonly name: string };
    throw new MessageError(
      'invalid-type',
      `${name} is described by a schema and by decorators of class-validator: move what the decorators say to the schema`,
    );
  }
  checkSynchronous(schema, type);
}
