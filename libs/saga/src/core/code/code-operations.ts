import { contractOf } from '@millrace/messages';
import type { MessageClass, SuccessOf } from '@millrace/messages';
import type { CodeOwner, WaitNode } from '../definition.js';
import type { AnyCommand } from '../dsl/reply-typing.js';
import type { LockOptions } from '../dsl/block.js';
import type { Duration } from '../dsl/duration.js';
import type { CodeSteps, SendOptions, StepOptions, WaitForOptions } from './code-steps.js';
import type { CodeState } from './code-state.js';
import { blockNode, instanceOf, localStep, sending } from './op-nodes.js';
import type { Player } from './player.js';
import { StepRefused } from './step-refused.js';
import { stored } from './stored.js';

/** What code is given: each operation becomes a node, and is begun by the player. */
export class CodeOperations implements CodeSteps {
  constructor(
    private readonly player: Player,
    private readonly owner: CodeOwner,
  ) {}

  readonly step: CodeSteps['step'] = (name, work, undo, options: StepOptions = {}) => {
    if (undo) this.player.onlyBeforePivot(`the undo of '${name}'`);
    return this.player.begin({ kind: 'step', name }, (forward) =>
      localStep(name, work, undo as never, options, { forward }),
    );
  };

  readonly send = <C extends AnyCommand>(
    name: string,
    command: C,
    options: SendOptions<C> = {},
  ): Promise<SuccessOf<C>> => {
    if (options.undo) this.player.onlyBeforePivot(`the undo of '${name}'`);
    const make = (forward: boolean, type: string | undefined) =>
      sending(name, command, options as SendOptions<object>, { forward }, type);
    return this.player.begin({ kind: 'send', name }, make, (answer, type) => instanceOf(type, answer));
  };

  readonly child: CodeSteps['child'] = (name, saga, input, options = {}) => {
    this.player.onlyBeforePivot(`child saga '${name}'`);
    const onCompleted = (state: CodeState, last: unknown): CodeState => ({ ...state, [name]: stored(last) });
    return this.player.begin({ kind: 'child', name }, () =>
      blockNode((block) => block.child(name, saga as never, () => input, { ...options, onCompleted } as never)),
    );
  };

  readonly lock = (name: string, key: string, options: LockOptions = {}): Promise<void> => {
    this.player.onlyBeforePivot(`lock '${name}'`);
    return this.player.begin({ kind: 'lock', name }, () => blockNode((block) => block.lock(name, () => key, options)));
  };

  readonly sleep = (name: string, until: Duration | Date): Promise<void> =>
    this.player.begin({ kind: 'sleep', name }, () =>
      blockNode((block) => block.sleep(name, until instanceof Date ? () => until : until)),
    );

  readonly waitFor = <E extends object>(
    name: string,
    event: MessageClass<E>,
    { within, accepts }: WaitForOptions<E> = {},
  ): Promise<E> => {
    const { type } = contractOf(event);
    const declared = this.player.waitsFor(type) as WaitNode<CodeState> | undefined;
    if (!declared) {
      throw this.player.breaks(
        `'${name}' waits for ${type}, which is not declared: sagaOf(..., { waitsFor: [${event.name}] })`,
      );
    }
    const read = (data: unknown): E => instanceOf(undefined, data, event) as E;
    const options = {
      id: declared.id,
      onEvent: (state: CodeState, data: E) => ({ ...state, [name]: stored(data) }),
      ...(accepts ? { accepts: (_state: CodeState, data: E) => accepts(read(data)) } : {}),
      ...(within === undefined ? {} : { within }),
    };
    return this.player.begin(
      { kind: 'wait', name },
      () => blockNode((block) => block.waitFor(name, event, options as never)),
      read,
    );
  };

  readonly pivot = (): void => this.player.pivot();

  readonly turnRound = (reason: string): never => {
    throw new StepRefused('saga', reason);
  };

  readonly now = (): Date => this.player.time();

  readonly uuid = (): string => this.player.nextId(this.owner);
}
