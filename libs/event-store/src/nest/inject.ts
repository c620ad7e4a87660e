import { Inject } from '@nestjs/common';
import type { InjectionToken } from '@nestjs/common';
import { aggregateName } from '../core/aggregate.js';
import type { AggregateClass } from '../core/aggregate.js';
import { projectionOf } from '../core/projection.js';
import type { ProjectionClass } from '../core/projection.js';

/** What the repository of an aggregate class is provided under, to replace it in a test. */
export function getRepositoryToken(aggregate: AggregateClass): InjectionToken {
  return `Repository(${aggregateName(aggregate)})`;
}

/** What the view of a projection is provided under. */
export function getViewToken(projection: ProjectionClass): InjectionToken {
  return `View(${projectionOf(projection).name})`;
}

/** Injects the `Repository` of an aggregate that `EventStoreModule.forFeature` declares. */
export function InjectRepository(aggregate: AggregateClass): ParameterDecorator & PropertyDecorator {
  return Inject(getRepositoryToken(aggregate));
}

/** Injects the `ReadView` of a projection that `EventStoreModule.forFeature` declares. */
export function InjectView(projection: ProjectionClass): ParameterDecorator & PropertyDecorator {
  return Inject(getViewToken(projection));
}
