import { NonRetryableError } from '@millrace/broker';
import { classesOf, contractOf, toInstance } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import type { Call } from '../call.js';
import { Refused } from '../call.js';
import type { ReplyHandler, SagaNode, StepNode } from '../definition.js';
import { BlockBuilder } from '../dsl/block-builder.js';
import { StepBuilder } from '../dsl/step-builder.js';
import type { OpFailure } from '../run.js';
import type { SendOptions, StepOptions, UndoCall } from './code-steps.js';
import type { CodeState } from './code-state.js';
import { stored } from './stored.js';

// The operations of code as nodes of the step engine: what a node answers becomes a member of the state, by its name.

type Node = SagaNode<CodeState>;

/** After the pivot: repeated until it is done. */
interface Direction {
  readonly forward: boolean;
}

export function localStep(
  name: string,
  work: (call: Call<undefined>) => unknown,
  undo: ((result: never, call: UndoCall) => unknown) | undefined,
  { retries, within, undoing }: StepOptions,
  { forward }: Direction,
): Node {
  let step = new StepBuilder(name).calls(async (_state: never, call: Call<never>) => {
    const answer = await work(call);
    return answer instanceof Refused ? answer : checked(name, answer);
  });
  step = step.onResult(((state: CodeState, result: unknown) => ({ ...state, [name]: stored(result) })) as never);
  if (undo) {
    const back = (state: CodeState, call: Call<undefined>): unknown =>
      undo(state[name] as never, { ...call, undoes: call.idempotencyKey.replace(/\/undo$/, '') });
    step = step.compensates(back as never, undoing);
  }
  return patient(step, { retries, within, forward });
}

export function sending(
  name: string,
  command: object,
  { undo, reason, retries, within, undoing }: SendOptions<object>,
  { forward }: Direction,
  type?: string,
): Node {
  const { replies } = contractOf(command);
  let answered = type;
  let step = new StepBuilder(name).sends(() => command);
  if (undo) {
    const back = (state: CodeState): object => undo(instanceOf(answered, state[name]) as never);
    step = step.compensates(back as never, undoing);
  }
  const node = patient(step, { retries, within, forward });
  const anyReply = (reply: string, outcome: 'success' | 'failure'): ReplyHandler<CodeState> | undefined => {
    if (replies && !replies.some((known) => contractOf(known).type === reply)) return undefined;
    if (outcome === 'failure') {
      const refuses = (_state: CodeState, data: object): string =>
        reason ? reason(checkedReply(reply, data) as never) : reply;
      return { reply: undefined, refuses };
    }
    const succeeds = (state: CodeState, data: object): CodeState => {
      answered = reply;
      return { ...state, [name]: stored(checkedReply(reply, data)) };
    };
    return { reply: undefined, succeeds };
  };
  return { ...node, anyReply: anyReply as NonNullable<StepNode<CodeState>['anyReply']> };
}

/** One of the nodes that stand in blocks of the DSL, too. */
export function blockNode(describe: (block: BlockBuilder) => BlockBuilder): Node {
  return describe(new BlockBuilder()).nodes[0] as unknown as Node;
}

/** Data of a message, read from the record, as an instance of its class. */
export function instanceOf(type: string | undefined, data: unknown, contract?: MessageClass): unknown {
  if (typeof data !== 'object' || data === null) return data;
  const known = contract ?? (type === undefined ? undefined : classesOf(type)[0]);
  return known ? toInstance(known, stored(data), false) : stored(data);
}

export function replyOf({ type, data }: OpFailure): object | undefined {
  return type === undefined ? undefined : (instanceOf(type, data) as object);
}

/** @throws MessageError `invalid-data`, when it is not what its class says */
function checkedReply(type: string, data: object): object {
  const known = classesOf(type)[0];
  return known ? toInstance(known, stored(data)) : data;
}

function patient(
  step: StepBuilder,
  { retries, within, forward }: Pick<StepOptions, 'retries' | 'within'> & Direction,
): StepNode<CodeState> {
  let said = step;
  if (within !== undefined) said = said.within(within);
  if (forward) said = said.untilDone(retries === undefined ? {} : { attempts: retries + 1 });
  else if (retries !== undefined) said = said.retries(retries);
  return said.build() as unknown as StepNode<CodeState>;
}

/** @throws NonRetryableError when it cannot be stored */
function checked(name: string, answer: unknown): unknown {
  try {
    stored(answer);
    return answer;
  } catch (cause) {
    throw new NonRetryableError(`'${name}' answers what JSON cannot hold: ${(cause as Error).message}`, { cause });
  }
}
