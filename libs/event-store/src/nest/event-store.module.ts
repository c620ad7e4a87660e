import {
  Broker,
  BrokerMonitor,
  checkOptions,
  connected,
  connectionToken,
  Declarations,
  rules,
  startsLastStopsFirst,
} from '@millrace/broker';
import type { Rules } from '@millrace/broker';
import type { MessageClass } from '@millrace/messages';
import { Module } from '@nestjs/common';
import type { DynamicModule, FactoryProvider, Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { modelOf } from '../core/aggregate-type.js';
import type { AggregateType } from '../core/aggregate-type.js';
import { chainRule } from '../core/chain/chain-rule.js';
import type { ChainRule } from '../core/chain/chain-rule.js';
import { EventStore } from '../core/event-store.js';
import { isExternal } from '../core/external-projection.js';
import type { ExternalProjection } from '../core/external-projection.js';
import { ExternalView } from '../core/external-view.js';
import { projectionOf } from '../core/projection.js';
import type { ProjectionClass } from '../core/projection.js';
import { Repository } from '../core/repository.js';
import type { EventClass } from '../core/stored-event.js';
import { ReadView } from '../core/read-view.js';
import { AggregateNames, claimName } from './aggregate-names.js';
import { EventStores } from './event-stores.js';
import { getRepositoryToken, getViewToken } from './inject.js';
import { Projections } from './projections.js';

export interface EventStoreFeature {
  /** Classes with `@Aggregate`, and deciders. */
  readonly aggregates?: readonly AggregateType[];
  readonly projections?: readonly ProjectionClass[];
  /** Classes of events that `EventStore` appends and reads. Those of aggregates and projections it knows. */
  readonly events?: readonly MessageClass[];
  /**
   * Streams whose events carry a hash chain: all of the context, or those of some categories. What modules and aggregates say adds
   * up. Default: none.
   */
  readonly chain?: ChainRule;
  /** The connection whose context has them. Default: the one without a name. */
  readonly broker?: string;
}

const RULES: Rules<EventStoreFeature> = {
  aggregates: rules.definitions,
  projections: rules.classes,
  events: rules.classes,
  chain: chainRule,
  broker: rules.text,
};

const WANTING = { wanting: 'EventStoreModule.forFeature' };

/** What a service has once, however many of its modules declare aggregates and projections. */
@Module({ providers: [Projections, AggregateNames, EventStores], exports: [Projections, AggregateNames, EventStores] })
export class EventStoreCoreModule {
  constructor(modules: ModulesContainer) {
    // Projections use what the application provides, as handlers do.
    startsLastStopsFirst(modules, EventStoreCoreModule);
  }
}

/**
 * Provides a repository for each aggregate, a view for each projection (a `ReadView`, or an `ExternalView` where the rows
 * stand in another database) and the `EventStore` of the context, and runs the projections. Needs `BrokerModule.forRoot`.
 *
 * @example
 * EventStoreModule.forFeature({ aggregates: [Product], projections: [ProductList] })
 */
@Module({})
export class EventStoreModule {
  /** @throws ConfigurationError for a class without its decorator; here or at start, for a name used twice */
  static forFeature(feature: EventStoreFeature): DynamicModule {
    checkOptions('EventStoreModule.forFeature', feature, RULES);
    const { aggregates = [], projections = [], events = [], chain, broker } = feature;
    // Of providers with one token Nest keeps the last, so this is the only place that sees the others.
    const names = new Map<string, AggregateType>();
    for (const type of aggregates) claimName(type, names);
    const repositories = aggregates.map((type) => repositoryOf(type, broker));
    const views = projections.map((type) => viewOf(type, broker));
    const store = eventStoreOf(events, chain, broker);
    return {
      module: EventStoreModule,
      imports: [EventStoreCoreModule],
      providers: [
        ...repositories,
        ...views,
        store,
        ...(projections as Provider[]),
        ...projections.map((type) => running(type, broker)),
      ],
      exports: [...[...repositories, ...views, store].map(({ provide }) => provide), EventStoreCoreModule],
    };
  }
}

function repositoryOf(type: AggregateType, connection?: string): FactoryProvider {
  return connected({
    provide: getRepositoryToken(type, connection),
    ...WANTING,
    connection,
    inject: [AggregateNames, EventStores, { token: connectionToken(Declarations, connection), optional: true }],
    useFactory: (broker: Broker, names: AggregateNames, stores: EventStores, declarations?: Declarations) => {
      names.add(type, broker);
      const { name, evolutions } = modelOf(type);
      declarations?.records(`aggregate ${name}`, contractsOf(evolutions));
      stores.of(broker).imply(contractsOf(evolutions));
      return new Repository(broker, type);
    },
  });
}

function viewOf(type: ProjectionClass, connection?: string): FactoryProvider {
  const of = { provide: getViewToken(type, connection), ...WANTING, connection };
  if (!isExternal(type)) return connected({ ...of, useFactory: (broker: Broker) => new ReadView(broker, type) });
  return connected({
    ...of,
    inject: [type],
    useFactory: (broker: Broker, projection: ExternalProjection<unknown>) => new ExternalView(broker, projection),
  });
}

function running(type: ProjectionClass, connection?: string): FactoryProvider {
  return connected({
    provide: `Running(${String(getViewToken(type, connection))})`,
    ...WANTING,
    connection,
    inject: [
      Projections,
      EventStores,
      type,
      { token: connectionToken(Declarations, connection), optional: true },
      { token: connectionToken(BrokerMonitor, connection), optional: true },
    ],
    useFactory: (
      broker: Broker,
      projections: Projections,
      stores: EventStores,
      projection: object,
      declarations?: Declarations,
      monitor?: BrokerMonitor,
    ) => {
      const { name, methods } = projectionOf(type);
      projections.add(type, projection, broker);
      stores.of(broker).imply(contractsOf(methods));
      monitor?.watch(() => projections.problems(type, broker));
      declarations?.reads(`projection ${name}`, contractsOf(methods));
      return projection;
    },
  });
}

/** Every module that declares events provides the same one. */
function eventStoreOf(
  events: readonly MessageClass[],
  chain: ChainRule | undefined,
  connection?: string,
): FactoryProvider {
  return connected({
    provide: connectionToken(EventStore, connection),
    ...WANTING,
    connection,
    inject: [EventStores, { token: connectionToken(Declarations, connection), optional: true }],
    useFactory: (broker: Broker, stores: EventStores, declarations?: Declarations) => {
      const store = stores.of(broker);
      store.declare(events);
      if (chain !== undefined) store.chain(chain);
      if (events.length > 0) declarations?.records('event store', events, 'perhaps');
      return store;
    },
  });
}

function contractsOf(methods: ReadonlyMap<string, EventClass>): readonly MessageClass[] {
  return Array.from(methods.values(), ({ contract }) => contract);
}
