export { refused, Refused } from './core/call.js';
export type { Call } from './core/call.js';
export type { CodeSteps, SendOptions, StepOptions, UndoCall, WaitForOptions } from './core/code/code-steps.js';
export type { CodeState, IsCodeState } from './core/code/code-state.js';
export { decide } from './core/code/decide.js';
export { NondeterminismError } from './core/code/nondeterminism-error.js';
export * from './core/code/saga-of.js';
export { StepRefused } from './core/code/step-refused.js';
export type { Stored } from './core/code/stored.js';
export * from './core/command-id.js';
export * from './core/definition.js';
export type { CallResult } from './core/engine/signal.js';
export type {
  Branch,
  ChildOptions,
  EachOptions,
  ForwardNodes,
  ForwardWaitOptions,
  JoinOptions,
  LockOptions,
  Nodes,
  WaitOptions,
} from './core/dsl/block.js';
export * from './core/dsl/duration.js';
export * from './core/dsl/reply-typing.js';
export * from './core/dsl/saga.js';
export * from './core/dsl/saga-steps.js';
export * from './core/dsl/step.js';
export * from './core/dsl/unnamed-saga.js';
export { explore } from './core/explore.js';
export type { Explored, ExploreOptions } from './core/explore.js';
export * from './core/explore/explore-result.js';
export { invariant } from './core/explore/invariants.js';
export type { Invariant } from './core/explore/invariants.js';
export * from './core/instance.js';
export type { Move, Mover } from './core/migration.js';
export * from './core/next.js';
export * from './core/orchestrator.js';
export { playableDefinition } from './core/playable-saga.js';
export type { PlayableAtOnce, PlayableSaga } from './core/playable-saga.js';
export * from './core/pictures/saga-chart.js';
export { sagaGantt } from './core/pictures/saga-gantt.js';
export { sagaTimeline } from './core/pictures/saga-timeline.js';
export * from './core/run.js';
export { SagaControl } from './core/runtime/saga-control.js';
export type { Decision, Resolution, SagaRef, StartOptions, StepDecision } from './core/runtime/saga-control.js';
export * from './core/runtime/saga-definitions.js';
export * from './core/runtime/saga-error.js';
export { STATUSES as SAGA_STATUSES } from './core/runtime/saga-filter.js';
export type { Moment, SagaFilter, Span } from './core/runtime/saga-filter.js';
export * from './core/runtime/saga-instances.js';
export type { MigrationOptions, MigrationPlan, MigrationReport } from './core/runtime/saga-migrations.js';
export * from './core/runtime/saga-locks.js';
export { stateAt } from './core/runtime/saga-past.js';
export type { DueOptions, DuePage, DueSaga, SagaPage } from './core/runtime/saga-queries.js';
export type { SagaRetentionOptions } from './core/runtime/saga-retention.js';
export * from './core/runtime/unknown-version.js';
export * from './core/saga-class.js';
export * from './core/saga-events.js';
export * from './core/scenario.js';
export type { PlayedInput, Request } from './core/scenario/played-saga.js';
export * from './core/state-change.js';
export * from './core/transition.js';
export * from './nest/saga.module.js';
export * from './nest/sagas.js';
