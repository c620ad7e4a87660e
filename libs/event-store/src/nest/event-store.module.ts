import { Broker } from '@millrace/broker';
import { Module } from '@nestjs/common';
import type { DynamicModule, Provider } from '@nestjs/common';
import type { AggregateClass } from '../core/aggregate.js';
import { projectionOf } from '../core/projection.js';
import type { ProjectionClass } from '../core/projection.js';
import { Repository } from '../core/repository.js';
import { ReadView } from '../core/view.js';
import { AggregateNames } from './aggregate-names.js';
import { getRepositoryToken, getViewToken } from './inject.js';
import { Projections } from './projections.js';

export interface EventStoreFeature {
  readonly aggregates?: readonly AggregateClass[];
  readonly projections?: readonly ProjectionClass[];
}

/** What a service has once, however many of its modules declare aggregates and projections. */
@Module({ providers: [Projections, AggregateNames], exports: [Projections, AggregateNames] })
export class EventStoreCoreModule {}

/**
 * Provides a repository for each aggregate and a view for each projection, and runs the projections. Needs
 * `BrokerModule.forRoot`.
 *
 * @example
 * EventStoreModule.forFeature({ aggregates: [Product], projections: [ProductList] })
 */
@Module({})
export class EventStoreModule {
  /** @throws ConfigurationError for a class without its decorator; at start, for a name used twice */
  static forFeature({ aggregates = [], projections = [] }: EventStoreFeature): DynamicModule {
    return {
      module: EventStoreModule,
      imports: [EventStoreCoreModule],
      providers: [
        ...aggregates.map(repositoryOf),
        ...projections.map(viewOf),
        ...(projections as Provider[]),
        ...projections.map(running),
      ],
      exports: [...aggregates.map(getRepositoryToken), ...projections.map(getViewToken), EventStoreCoreModule],
    };
  }
}

function repositoryOf(type: AggregateClass): Provider {
  return {
    provide: getRepositoryToken(type),
    inject: [Broker, AggregateNames],
    useFactory: (broker: Broker, names: AggregateNames) => {
      names.add(type);
      return new Repository(broker, type);
    },
  };
}

function viewOf(type: ProjectionClass): Provider {
  return {
    provide: getViewToken(type),
    inject: [Broker],
    useFactory: (broker: Broker) => new ReadView(broker, projectionOf(type).name),
  };
}

function running(type: ProjectionClass): Provider {
  return {
    provide: `Running(${projectionOf(type).name})`,
    inject: [Projections, type],
    useFactory: (projections: Projections, projection: object) => {
      projections.add(type, projection);
      return projection;
    },
  };
}
