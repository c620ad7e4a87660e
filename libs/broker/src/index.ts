export * from './core/partition.js';
export * from './core/commit.js';
export * from './core/guard-order.js';
export { PassingMap } from './core/passing-map.js';
export { youngList } from './core/young-list.js';
export * from './core/entry-id.js';
export { compareIndexes } from './core/event-index.js';
export type { EventIndex, RestoredEvent } from './core/event-index.js';
export * from './core/export/index.js';
export * from './core/archive/index.js';
export * from './core/follower.js';
export * from './core/partition-figures.js';
export * from './core/partition-store.js';
export { comparePlaces } from './core/row-index.js';
export type { IndexEntry, ListedRow, RowPlace, RowQuery, RowRange } from './core/row-index.js';
export * from './core/timer.js';
export * from './core/due.js';
export * from './core/recurrence.js';
export * from './core/schedule.js';
export * from './core/telemetry.js';
export { openTelemetry } from './telemetry/load.js';
export * from './core/declared-schedules.js';
export type { UndeclaredSchedules } from './core/keep-schedules.js';
export * from './core/scheduler.js';
export { firing } from './core/firing.js';
export { retentionRules } from './core/retention-options.js';
export type {
  Archive,
  FollowerRetention,
  LogRetention,
  RetentionOptions,
  RetentionRules,
} from './core/retention-options.js';
export { Retention } from './core/retention.js';
export type { HeldBack } from './core/retention.js';
export { Attendance } from './core/attendance.js';
export * from './core/broker-figures.js';
export * from './core/broker-monitor.js';
export { checkHealth, judge } from './core/health.js';
export type { Health, HealthFigures, HealthLimits, HealthOptions } from './core/health.js';
export * from './nest/broker-health.js';
export * from './core/keys.js';
export * from './core/errors.js';
export * from './core/non-retryable-error.js';
export { checkOptions } from './core/options/check-options.js';
export type { Rule, Rules } from './core/options/check-options.js';
export * as rules from './core/options/rules.js';
export { backoff, DEFAULT_RETRY } from './core/retry-policy.js';
export type { RetryPolicy } from './core/retry-policy.js';
export * from './core/clock.js';
export * from './core/unit-of-work.js';
export * from './core/boundary.js';
export * from './core/broker.js';
export * from './core/message-writer.js';
export type { BrokerSettings } from './core/broker-settings.js';
export type { PersonalDataSettings } from './core/personal-data/personal-data-settings.js';
export { DataSubjects } from './core/personal-data/data-subjects.js';
export type { OpenedLayers } from './core/personal-data/personal-data-protection.js';
export { PersonalDataProtection } from './core/personal-data/personal-data-protection.js';
export type { SubjectKeys } from './core/personal-data/subject-keys.js';
export * from './core/sending.js';
export type { EffectOptions } from './core/effect-options.js';
export * from './core/publisher.js';
export * from './core/published.js';
export * from './core/requester.js';
export type { RequesterSettings } from './core/requester-settings.js';
export { BatchError, inBatches } from './core/batch.js';
export type { BatchContext, BatchDeclaration, BatchHandler, BatchOptions } from './core/batch.js';
export * from './core/dead-letters.js';
export type { Edit, EditAs } from './core/edited-letter.js';
export * from './core/dead-letter-view.js';
export type { DeadLetterReason, KnownReason } from './core/dead-letter-reason.js';
export { COMPLETED, FAILED, failedReply, SUPERSEDED } from './core/system-reply.js';
export type { Superseded } from './core/system-reply.js';
export { TOMBSTONE_TTL_MS } from './core/tombstone-ttl.js';
export type { Undoer } from './core/tombstones.js';
export type { Completed, Failed } from './core/system-reply.js';
export * from './core/handler.js';
export * from './core/handling-context.js';
export { LazySignal } from './core/lazy-signal.js';
export { within } from './core/within.js';
export { groupOptionsIn, joinOptions, resolveGroup } from './core/group-options.js';
export type { Declared, GroupOptions, GroupSettings, Rate } from './core/group-options.js';
export * from './core/consumer-names.js';
export * from './in-memory/in-memory-partition-store.js';
export { InMemorySubjectKeys } from './in-memory/in-memory-subject-keys.js';
export * from './redis/redis-partition-store.js';
export type { ClusterNode, Delivery, RedisStoreOptions, RedisTarget } from './redis/redis-store-options.js';
export { RedisSubjectKeys } from './redis/redis-subject-keys.js';
export type { RedisSubjectKeysOptions } from './redis/redis-subject-keys.js';
export { checkReachable } from './redis/check-reachable.js';
export { explainRedisError, withoutSecrets } from './redis/redis-errors.js';
export * from './core/logger.js';
export * from './core/subscriber.js';
export type { NamedGroupOptions, SubscriberSettings } from './core/subscriber-settings.js';
export * from './nest/broker.module.js';
export type {
  BrokerFeatureOptions,
  BrokerModuleAsyncOptions,
  BrokerModuleOptions,
  BrokerOptionsFactory,
  ConnectionName,
} from './nest/broker-options.js';
export * from './nest/connection-tokens.js';
export { connected } from './nest/connected.js';
export type { ConnectedProvider } from './nest/connected.js';
export { Connections } from './nest/connections.js';
export type { Connection } from './nest/connections.js';
export { startsLastStopsFirst } from './nest/consumption.js';
export { OPEN_STORE } from './nest/store-owner.js';
export type { OpenStore } from './nest/store-owner.js';
export * from './nest/handler-decorators.js';
export type { HandlesOptions, OnBatchOptions, OnOptions, RoutedOptions } from './nest/handler-options.js';
export { Every } from './nest/every.js';
export type { EveryOptions } from './nest/every.js';
export * from './nest/transport/index.js';
export { Declarations } from './core/topology/declarations.js';
export type { Drawing, Reading, Sending } from './core/topology/declarations.js';
export type { LogName, Receives, Sends, Topology, WireMessage } from './core/topology/topology.js';
export { topologyDrawings, topologyText } from './core/topology/topology-text.js';
export { topologyMermaid } from './core/topology/topology-mermaid.js';
export { describe } from './nest/describe.js';
export { asyncApiDocument } from './core/asyncapi/asyncapi-document.js';
export type { AsyncApiDocument, AsyncApiOptions } from './core/asyncapi/asyncapi-document.js';
export { asyncApi, AsyncApiModule } from './nest/asyncapi.module.js';
export type { AsyncApiModuleOptions } from './nest/asyncapi.module.js';
export { openOffline } from './nest/offline.js';
