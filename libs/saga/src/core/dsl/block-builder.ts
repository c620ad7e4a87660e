import { ConfigurationError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { isBranchName } from '../command-id.js';
import type { Act, Block, ReplyHandler, SagaNode, SleepNode, WaitNode } from '../definition.js';
import { ChildCompleted, ChildFailed, Locked, LockRefused } from '../internal-messages.js';
import { AT_ONCE, COMPENSATION_ATTEMPTS, COMPENSATION_WITHIN_MS, LOCK_WITHIN_MS, UNTIL_DONE } from '../patience.js';
import { sagaName } from '../saga-class.js';
import type { SagaClass } from '../saga-class.js';
import type { ChildOptions, EachOptions, JoinOptions, LockOptions, WaitOptions } from './block.js';
import { milliseconds } from './duration.js';
import type { Duration } from './duration.js';
import type { FinishedStep } from './reply-typing.js';
import { identify } from './saga-start.js';
import { StepBuilder } from './step-builder.js';

type Describe = (block: BlockBuilder) => unknown;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- functions of users, whose types `block.ts` checks
type Fn = (...args: any[]) => any;

/** Collects the nodes of a block. Every call answers a new builder; `block.ts` says in types what may follow what. */
export class BlockBuilder {
  constructor(readonly nodes: Block<never> = []) {}

  step(name: string, describe: (step: never) => FinishedStep): this {
    // StepBuilder is what `step.ts` describes, without the types.
    const described = describe(new StepBuilder(name) as never) as unknown as StepBuilder;
    return this.with(described.build());
  }

  when(name: string, condition: Fn, then: Describe, otherwise: Describe = (block) => block): this {
    const choose: Fn = (state, item) => (condition(state, item) ? 'then' : 'otherwise');
    return this.choose(name, choose, { then, otherwise });
  }

  choose(name: string, choose: Fn, branches: Readonly<Record<string, Describe>>): this {
    return this.with({ kind: 'choice', name, choose, branches: branchesOf(name, branches) });
  }

  parallel(
    name: string,
    described: Readonly<Record<string, Describe>>,
    { join = 'all', onJoined }: JoinOptions<never> = {},
  ): this {
    const branches = branchesOf(name, described);
    const count = join === 'all' ? branches.size : join === 'any' ? 1 : join;
    if (!Number.isInteger(count) || count < 1 || count > branches.size) {
      throw new ConfigurationError(
        `'${name}' joins ${join} of its ${branches.size} branches: it must be 'all', 'any', or a number from 1 to ${branches.size}`,
      );
    }
    return this.with({ kind: 'parallel', name, branches, join: count, ...(onJoined ? { joined: onJoined } : {}) });
  }

  each(name: string, items: Fn, body: Describe, { atOnce = 1 }: EachOptions = {}): this {
    if (!Number.isInteger(atOnce) || atOnce < 1) {
      throw new ConfigurationError(`'${name}' has atOnce: ${atOnce}; it must be a whole number of at least 1`);
    }
    const block = blockOf(name, body);
    if (block.length === 0) throw new ConfigurationError(`'${name}' does nothing with its items: give it a step`);
    return this.with({ kind: 'each', name, items, body: block, atOnce });
  }

  child(name: string, child: SagaClass, input: Fn, options: ChildOptions<never, never, never> = {}): this {
    const saga = sagaName(child);
    const { within, onCompleted } = options;
    const succeeds = onCompleted
      ? (state: never, child: object, item: unknown): never =>
          onCompleted(state, (child as ChildCompleted).state as never, item as never)
      : (state: never) => state;
    return this.asked(name, {
      do: { kind: 'child', saga, input },
      undo: { kind: 'undo-child', saga },
      withinMs: within === undefined ? Infinity : milliseconds(within, `deadline of '${name}'`),
      replies: [
        [ChildCompleted, { reply: ChildCompleted, succeeds }],
        [ChildFailed, { reply: ChildFailed, refuses: (_state, reply) => (reply as ChildFailed).reason }],
      ],
    });
  }

  lock(name: string, key: Fn, { otherwise = 'wait', within = LOCK_WITHIN_MS }: LockOptions = {}): this {
    if (!['wait', 'fail'].includes(otherwise)) {
      throw new ConfigurationError(
        `lock '${name}' has otherwise: ${JSON.stringify(otherwise)}; it must be 'wait' or 'fail'`,
      );
    }
    return this.asked(name, {
      do: { kind: 'lock', key, otherwise },
      undo: { kind: 'unlock' },
      withinMs: milliseconds(within, `deadline of lock '${name}'`),
      replies: [
        [Locked, { reply: Locked, succeeds: (state) => state }],
        [LockRefused, { reply: LockRefused, refuses: (_state, reply) => `locked by ${(reply as LockRefused).holder}` }],
      ],
    });
  }

  sleep(name: string, until: Duration | ((state: never, item: never) => Duration | Date)): this {
    const what = `length of sleep '${name}'`;
    if (typeof until !== 'function') milliseconds(until, what);
    const node: SleepNode<never> = {
      kind: 'sleep',
      name,
      until: (state, now, item) => {
        const end = typeof until === 'function' ? until(state, item as never) : until;
        return end instanceof Date ? end.getTime() : now + milliseconds(end, what);
      },
    };
    return this.with(node);
  }

  waitFor(name: string, event: MessageClass, options: WaitOptions<never, never, never> = {}): this {
    const { type, kind } = contractOf(event);
    if (kind !== 'event')
      throw new ConfigurationError(`'${name}' waits for ${type}, which is a ${kind}: only events are waited for`);
    const { id, accepts, onEvent = (state: never) => state, within, orElse } = options;
    if (within !== undefined && orElse) {
      throw new ConfigurationError(`'${name}' has 'within' and 'orElse': say once how long it waits`);
    }
    const length = within ?? orElse?.within;
    const node: WaitNode<never> = {
      kind: 'wait',
      name,
      event,
      id: identify(event, id as Fn | undefined),
      ...(accepts ? { accepts: accepts as Fn } : {}),
      take: onEvent as WaitNode<never>['take'],
      withinMs: length === undefined ? undefined : milliseconds(length, `length of wait '${name}'`),
      ...(orElse ? { otherwise: orElse.state ?? ((state: never) => state) } : {}),
    };
    return this.with(node);
  }

  protected with(node: SagaNode<never>): this {
    const { name } = node;
    if (name.trim() === '') throw new ConfigurationError('a step needs a name');
    return this.copy([...this.nodes, node]);
  }

  protected copy(nodes: Block<never>): this {
    return new BlockBuilder(nodes) as this;
  }

  /** A step that sagas of this service do for each other. */
  private asked(name: string, parts: Asked): this {
    return this.with({
      kind: 'step',
      name,
      do: { act: parts.do, withinMs: parts.withinMs, retry: AT_ONCE },
      replies: new Map(parts.replies.map(([reply, handler]) => [contractOf(reply).type, handler])),
      undo: {
        act: parts.undo,
        withinMs: parts.do.kind === 'child' ? Infinity : COMPENSATION_WITHIN_MS,
        retry: { ...UNTIL_DONE, attempts: COMPENSATION_ATTEMPTS },
      },
      untilDone: false,
    });
  }
}

interface Asked {
  readonly do: Act<never>;
  readonly undo: Act<never>;
  readonly withinMs: number;
  readonly replies: readonly (readonly [MessageClass, ReplyHandler<never>])[];
}

function branchesOf(name: string, described: Readonly<Record<string, Describe>>): ReadonlyMap<string, Block<never>> {
  const branches = Object.entries(described);
  if (branches.length === 0) throw new ConfigurationError(`'${name}' has no branches`);
  const bad = branches.find(([branch]) => !isBranchName(branch));
  if (bad) {
    throw new ConfigurationError(
      `branch ${JSON.stringify(bad[0])} of '${name}' cannot be used: a name begins with a letter and has letters, digits, '_' and '-', at most 64`,
    );
  }
  return new Map(branches.map(([branch, describe]) => [branch, blockOf(`${name}: ${branch}`, describe)]));
}

function blockOf(what: string, describe: Describe): Block<never> {
  const block = describe(new BlockBuilder());
  if (block instanceof BlockBuilder) return block.nodes;
  throw new ConfigurationError(`'${what}' describes nothing: return the block with its steps`);
}
