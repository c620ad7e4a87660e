import { NonRetryableError } from '@millrace/broker';
import { refused } from '@millrace/saga';
import type { Block, Call, CallResult, CodeSteps, Plan, SagaDefinition, SagaNode, StepOptions } from '@millrace/saga';
import { cameAbout } from './came-about.js';

interface Running {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Local functions of a saga that run until the script says how they end. */
export class ScriptedCalls {
  private readonly running = new Map<string, Running>();

  /** The saga with functions that wait for the script. */
  scripted<State>(definition: SagaDefinition<State>): SagaDefinition<State> {
    return { ...definition, body: this.inBlock(definition.body) };
  }

  /** Ends a function, as soon as it has been called. */
  async end(callId: string, result: CallResult): Promise<void> {
    await cameAbout(`function ${callId} was not called`, () => this.running.has(callId));
    const { resolve, reject } = this.running.get(callId)!;
    if (result.status === 'answered') return resolve(result.value);
    if (result.status === 'refused') return resolve(refused(result.reason));
    reject(result.retryable ? new Error(result.reason) : new NonRetryableError(result.reason));
  }

  /** Ends all that the script has left open, so that the service can stop. */
  release(): void {
    for (const { reject } of this.running.values()) reject(new Error('the script is over'));
  }

  private inBlock<State>(block: Block<State>): Block<State> {
    return block.map((node) => this.inNode(node));
  }

  private inNode<State>(node: SagaNode<State>): SagaNode<State> {
    switch (node.kind) {
      case 'step':
        return { ...node, do: this.plan(node.do), undo: node.undo && this.plan(node.undo) };
      case 'choice':
      case 'parallel': {
        const branches = [...node.branches].map(([name, block]) => [name, this.inBlock(block)] as const);
        return { ...node, branches: new Map(branches) };
      }
      case 'each':
        return { ...node, body: this.inBlock(node.body) };
      case 'code': {
        const code = node.code as (saga: CodeSteps, input: unknown) => unknown;
        return { ...node, code: (saga: CodeSteps, input: unknown) => code(this.scriptedSteps(saga), input) };
      }
      default:
        return node;
    }
  }

  private plan<State>(plan: Plan<State>): Plan<State> {
    if (plan.act.kind !== 'call') return plan;
    return { ...plan, act: { ...plan.act, work: (_: State, call: Call) => this.called(call) } };
  }

  private scriptedSteps(saga: CodeSteps): CodeSteps {
    const step = (name: string, _work: unknown, undo?: unknown, options?: StepOptions) =>
      saga.step(name, (call) => this.called(call), undo ? (_result, call) => this.called(call) : undefined, options);
    return { ...saga, step: step as CodeSteps['step'] };
  }

  private called({ idempotencyKey, attempt }: Call): Promise<unknown> {
    const id = `${idempotencyKey}${idempotencyKey.endsWith('/undo') ? '' : '/do'}/${attempt}`;
    return new Promise((resolve, reject) => this.running.set(id, { resolve, reject }));
  }
}
