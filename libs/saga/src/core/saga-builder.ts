import { checkContext, ConfigurationError } from '@millrace/broker';
import type { CommandPlan, SagaDefinition, SagaFailure, SagaStart, StepDefinition } from './definition.js';
import type { AnyCommand, FinishedStep } from './reply-typing.js';
import { DEFAULT_WITHIN_MS, StepBuilder, UNTIL_DONE } from './step-builder.js';

/** Collects what is said about a saga. Every call answers a new builder; `saga.ts` says in types what may follow what. */
export class SagaBuilder<State> {
  constructor(
    private readonly start: SagaStart<State>,
    private readonly steps: readonly StepDefinition<State>[],
    private readonly farewell?: CommandPlan<State>,
  ) {}

  step(name: string, describe: (step: never) => FinishedStep): SagaBuilder<State> {
    if (name.trim() === '') throw new ConfigurationError('a step needs a name');
    if (this.steps.some((step) => step.name === name)) {
      throw new ConfigurationError(`two steps are called '${name}': give each its own name`);
    }
    // StepBuilder is what `step.ts` describes, without the types.
    const described = describe(new StepBuilder(name) as never) as unknown as StepBuilder;
    return new SagaBuilder(this.start, [...this.steps, described.build() as unknown as StepDefinition<State>]);
  }

  pivot(): this {
    return this;
  }

  onCompensated(command: (state: State, failure: SagaFailure) => AnyCommand): SagaBuilder<State> {
    const plan = { command: command as CommandPlan<State>['command'], withinMs: DEFAULT_WITHIN_MS, retry: UNTIL_DONE };
    return new SagaBuilder(this.start, this.steps, plan);
  }

  named(name: string): SagaDefinition<State> {
    checkContext(name, 'saga');
    if (this.steps.length === 0) throw new ConfigurationError(`saga '${name}' has no steps`);
    return { name, start: this.start, steps: this.steps, onCompensated: this.farewell };
  }
}
