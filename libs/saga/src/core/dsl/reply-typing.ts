import type { CommandReplies, MessageClass } from '@millrace/messages';

/** Any instance of a class that extends `Command<...>`. */
export type AnyCommand = CommandReplies<object, object>;

declare const unhandled: unique symbol;
declare const misplaced: unique symbol;

/**
 * A step is finished when every reply of its command has a handler. The compiler names the forgotten ones:
 * `Type 'ReplyNotHandled<OutOfStock>' is not assignable to type '"every reply is handled"'`.
 */
export interface FinishedStep {
  readonly [unhandled]: 'every reply is handled';
}

/** A step whose command can still be answered with `Open`. */
export interface StepWith<Open> {
  readonly [unhandled]: [Open] extends [never] ? 'every reply is handled' : ReplyNotHandled<Open>;
}

export interface ReplyNotHandled<Reply> {
  readonly [unhandled]: Reply;
}

/** What the compiler names when a handler is given a class that cannot come here, or that has a handler already. */
export interface NoOpenReplyOfThisCommand<Reply> {
  readonly [misplaced]: Reply;
}

/** The class of one of the replies in `Open`. */
export type ReplyClass<Reply extends object, Open> = MessageClass<Reply> &
  ([Same<Open, Reply>] extends [never] ? NoOpenReplyOfThisCommand<Reply> : unknown);

/** `Open` without `Reply`. */
export type Without<Open, Reply> = Open extends unknown ? (Equal<Open, Reply> extends true ? never : Open) : never;

type Same<Open, Reply> = Open extends unknown ? (Equal<Open, Reply> extends true ? Open : never) : never;

// Classes are compared by structure, so a reply with more fields is assignable to one with fewer: only both ways is equal.
type Equal<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
