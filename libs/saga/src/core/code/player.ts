import { createHash } from 'node:crypto';
import { AsyncResource } from 'node:async_hooks';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { ConfigurationError } from '@millrace/broker';
import type { CodeNode, CodeOwner, Course, CourseEnd, SagaNode } from '../definition.js';
import type { CodeRun, Op } from '../run.js';
import type { CodeState } from './code-state.js';
import { NondeterminismError } from './nondeterminism-error.js';
import { instanceOf, replyOf } from './op-nodes.js';
import { refusalIn, StepRefused } from './step-refused.js';
import { stored } from './stored.js';

/** So many operations may one run have: what it was told is told again at every input. */
const MAX_OPS = 10_000;

/** Code runs outside of any handler: what it does besides its operations is no part of a commit. */
const outside = new AsyncResource('millrace.saga-code');

/** What an operation is made with, before it is known which type of reply it had. */
export type MakeNode = (forward: boolean, type: string | undefined) => SagaNode<CodeState>;

interface Awaited {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  /** As what the code gets the recorded answer. */
  readonly read: (answer: unknown, type: string | undefined) => unknown;
}

/**
 * Runs the code of one instance for one decision: from its beginning, telling it what its journal says that it was told, in the
 * same order. What it awaits that is not known yet never settles; with the player it is forgotten.
 */
export class Player {
  private readonly ops: Op[] = [];
  private readonly nodes: SagaNode<CodeState>[] = [];
  private readonly names = new Set<string>();
  private readonly awaited = new Map<number, Awaited>();
  private end: { readonly value: unknown } | { readonly error: unknown } | undefined;
  /** Why nothing that the code does counts any more. */
  private broken: Error | undefined;
  private forward = false;
  private told: number | undefined;
  private now = 0;
  private ids = 0;
  /** What it has begun before. */
  private known: readonly Op[] = [];

  constructor(
    private readonly node: CodeNode<CodeState>,
    private readonly operations: (player: Player, owner: CodeOwner) => object,
  ) {}

  /** Goes on to where a journal says. Answers what the code does after that. */
  async play(run: CodeRun, state: CodeState, owner: CodeOwner): Promise<Course> {
    this.known = run.ops;
    if (this.told === undefined) await this.start(state, owner);
    while (this.told! < run.told.length && !this.broken) {
      const { op, at } = run.told[this.told!++]!;
      this.now = at;
      this.tell(op, run.ops[op]!, state);
      await turnOfTheLoop();
    }
    const missing = run.ops[this.ops.length];
    if (missing) this.broken ??= new NondeterminismError(this.ops.length, missing, this.situation());
    return { ops: this.ops.slice(), nodes: this.nodes.slice(), ...this.outcome() };
  }

  /** The code begins an operation. */
  begin<T>(op: Pick<Op, 'kind' | 'name'>, make: MakeNode, read: Awaited['read'] = (answer) => answer): Promise<T> {
    this.note(op, make);
    const at = this.ops.length - 1;
    const answer = new Promise<T>((resolve, reject) =>
      this.awaited.set(at, { resolve: resolve as (value: unknown) => void, reject, read }),
    );
    // Code that waits for the first of several may leave a refusal unread.
    answer.catch(() => undefined);
    return answer;
  }

  pivot(): void {
    const [open] = [...this.awaited.keys()];
    if (open !== undefined)
      throw this.breaks(`the pivot comes while '${this.ops[open]!.name}' is under way: await it first`);
    if (this.forward) throw this.breaks('a saga has one pivot');
    this.note({ kind: 'pivot', name: 'pivot' }, () => ({ kind: 'pivot', name: 'pivot' }));
    this.forward = true;
  }

  /** @throws ConfigurationError after the pivot */
  onlyBeforePivot(what: string): void {
    if (this.forward) throw this.breaks(`after its pivot a saga only goes forward: ${what} is not possible`);
  }

  time(): Date {
    return new Date(this.now);
  }

  nextId({ saga, id }: CodeOwner): string {
    const hash = createHash('sha256')
      .update(JSON.stringify([saga, id, this.ids++]))
      .digest('hex');
    const variant = ((parseInt(hash[16]!, 16) & 0x3) | 0x8).toString(16);
    return [
      hash.slice(0, 8),
      hash.slice(8, 12),
      `8${hash.slice(13, 16)}`,
      variant + hash.slice(17, 20),
      hash.slice(20, 32),
    ].join('-');
  }

  waitsFor(type: string): SagaNode<CodeState> | undefined {
    return this.node.waits.find(({ name }) => name === type);
  }

  /** What the code has done wrong, whatever it makes of it. */
  breaks(what: string): Error {
    return (this.broken ??= new ConfigurationError(what));
  }

  private async start(state: CodeState, owner: CodeOwner): Promise<void> {
    this.told = 0;
    this.now = owner.startedAt;
    const input = instanceOf(undefined, state.input, this.node.input);
    const operations = this.operations(this, owner) as never;
    outside.runInAsyncScope(() => {
      void (async () => this.node.code(operations, input as never))().then(
        (value) => (this.end = { value }),
        (error: unknown) => (this.end = { error }),
      );
    });
    await turnOfTheLoop();
  }

  private tell(at: number, { name, type, failed }: Op, state: CodeState): void {
    const waiting = this.awaited.get(at);
    if (!waiting) {
      this.broken ??= new NondeterminismError(at, this.known[at], this.situation());
      return;
    }
    this.awaited.delete(at);
    if (failed) waiting.reject(new StepRefused(name, failed.reason, replyOf(failed)));
    else waiting.resolve(waiting.read(stored(state[name]), type));
  }

  private note(op: Pick<Op, 'kind' | 'name'>, make: MakeNode): void {
    if (this.broken) throw this.broken;
    const at = this.ops.length;
    const { kind, name } = op;
    const known = this.known[at];
    if (known && (known.kind !== kind || known.name !== name)) {
      throw (this.broken = new NondeterminismError(at, known, op));
    }
    if (name.trim() === '') throw this.breaks(`a ${kind} needs a name`);
    if (RESERVED.has(name)) throw this.breaks(`no operation can be called '${name}': that is a part of the state`);
    if (this.names.has(name)) {
      throw this.breaks(
        `two operations are called '${name}': give each its own name, in a loop e.g. \`${name} \${i}\``,
      );
    }
    if (at >= MAX_OPS) {
      throw this.breaks(`it has begun ${MAX_OPS} operations, and may have no more: give a part of them to child sagas`);
    }
    let node: SagaNode<CodeState>;
    try {
      node = make(this.forward, known?.type);
    } catch (error) {
      throw (this.broken = error as Error);
    }
    this.names.add(name);
    this.ops.push(known ?? op);
    this.nodes.push(node);
  }

  private outcome(): CourseEnd {
    if (this.broken) return { kind: 'halted', reason: `${this.broken.name}: ${this.broken.message}` };
    if (!this.end) return { kind: 'waiting' };
    if ('error' in this.end) {
      const failure = refusalIn(this.end.error);
      return failure
        ? { kind: 'refused', failure }
        : { kind: 'halted', reason: `its code failed: ${worded(this.end.error)}` };
    }
    try {
      return { kind: 'returned', value: stored(this.end.value) };
    } catch (error) {
      return { kind: 'halted', reason: `its code answers what JSON cannot hold: ${worded(error)}` };
    }
  }

  /** What the code does instead of what it did before. */
  private situation(): string {
    if (!this.end) return 'nothing: the code waits for something else';
    return 'error' in this.end
      ? `nothing: the code failed: ${worded(this.end.error)}`
      : 'nothing: the code has returned';
  }
}

/** Members of the state that are no answers. */
const RESERVED: ReadonlySet<string> = new Set(['input', 'output']);

/** With the place in the code, for who has to mend it. */
function worded(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at '));
  return `${error.name}: ${error.message}${place ? ` (${place.trim()})` : ''}`;
}
