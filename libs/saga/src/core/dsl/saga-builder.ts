import { checkContext, ConfigurationError } from '@millrace/broker';
import { nodesOf } from '../definition.js';
import type { Block, Endings, SagaDefinition, SagaFailure, SagaStart } from '../definition.js';
import { structureHash } from '../structure.js';
import { BlockBuilder } from './block-builder.js';
import { milliseconds } from './duration.js';
import type { Duration } from './duration.js';
import type { ForwardSteps, SagaSteps } from './saga-steps.js';
import type { UnnamedSaga } from './unnamed-saga.js';

/** What is said about a saga besides its nodes. */
interface Settings<State> {
  readonly ends: Endings<State>;
  readonly withinMs: number | undefined;
  readonly keys: ((state: State) => Readonly<Record<string, string>>) | undefined;
}

/** Collects what is said about a saga. Every call answers a new builder; `saga.ts` says in types what may follow what. */
class Builder<State> extends BlockBuilder {
  constructor(
    private readonly start: SagaStart<State>,
    nodes: Block<never> = [],
    private readonly settings: Settings<State> = { ends: {}, withinMs: undefined, keys: undefined },
  ) {
    super(nodes);
  }

  pivot(): this {
    return this.with({ kind: 'pivot', name: 'pivot' });
  }

  onCompleted(completed: (state: State) => object): this {
    return this.ending({ completed });
  }

  onCompensated(compensated: (state: State, failure: SagaFailure) => object): this {
    return this.ending({ compensated });
  }

  onParked(parked: (state: State, failure: SagaFailure) => object): this {
    return this.ending({ parked });
  }

  within(deadline: Duration): this {
    if (this.settings.withinMs !== undefined) throw new ConfigurationError(`a saga has two deadlines: say one`);
    return this.set({ withinMs: milliseconds(deadline, 'deadline of a saga') });
  }

  keys(keys: (state: State) => Readonly<Record<string, string>>): this {
    if (this.settings.keys) throw new ConfigurationError('a saga says its keys twice: say them once');
    return this.set({ keys });
  }

  named(name: string, version = 1): SagaDefinition<State> {
    checkContext(name, 'saga');
    if (!Number.isInteger(version) || version < 1) {
      throw new ConfigurationError(`saga '${name}' has version ${version}: it must be a whole number of at least 1`);
    }
    const body = this.nodes as Block<State>;
    const all = nodesOf(body);
    if (all.every(({ kind }) => kind === 'pivot')) throw new ConfigurationError(`saga '${name}' has no steps`);
    const names = all.map((node) => node.name);
    const twice = names.find((each, at) => names.indexOf(each) !== at);
    if (twice !== undefined) {
      throw new ConfigurationError(`two steps of saga '${name}' are called '${twice}': give each its own name`);
    }
    checkForward(name, body);
    const parts = { name, version, start: this.start, body, ...this.settings };
    return { ...parts, hash: structureHash(parts) };
  }

  protected override copy(nodes: Block<never>): this {
    return new Builder(this.start, nodes, this.settings) as this;
  }

  private ending(ends: Endings<State>): this {
    const twice = Object.keys(ends).find((end) => end in this.settings.ends);
    if (twice !== undefined)
      throw new ConfigurationError(`a saga says twice what happens when it is ${twice}: say it once`);
    return this.set({ ends: { ...this.settings.ends, ...ends } });
  }

  private set(settings: Partial<Settings<State>>): this {
    return new Builder(this.start, this.nodes, { ...this.settings, ...settings }) as this;
  }
}

/** What the types refuse, too: they are not there for everybody. */
function checkForward<State>(name: string, body: Block<State>): void {
  const pivot = body.findIndex(({ kind }) => kind === 'pivot');
  for (const node of pivot < 0 ? [] : nodesOf(body.slice(pivot))) {
    if (node.kind !== 'step') continue;
    if (node.undo) {
      throw new ConfigurationError(
        `step '${node.name}' of saga '${name}' is after the pivot and compensated: nothing is undone from there on`,
      );
    }
    if (!node.untilDone) {
      throw new ConfigurationError(
        `step '${node.name}' of saga '${name}' is after the pivot: end it with .untilDone()`,
      );
    }
  }
}

/** A builder, in the types that `saga.ts` gives it. */
export const SagaBuilder = Builder as unknown as new <State, Input extends object>(
  start: SagaStart<State>,
  nodes?: Block<State>,
) => SagaSteps<State, Input> & ForwardSteps<State, Input> & UnnamedSaga<State, Input>;
