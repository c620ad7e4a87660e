import { DEFAULT_CONNECTION } from '@millrace/broker';
import { Inject } from '@nestjs/common';
import type { InjectionToken } from '@nestjs/common';
import { modelOf } from '../core/aggregate-type.js';
import type { AggregateType } from '../core/aggregate-type.js';
import { projectionOf } from '../core/projection.js';
import type { ProjectionClass } from '../core/projection.js';

/**
 * What the repository of an aggregate is provided under, to replace it in a test.
 *
 * @param connection name of the connection whose context has the aggregate. Default: the one without a name
 */
export function getRepositoryToken(aggregate: AggregateType, connection?: string): InjectionToken {
  return `Repository(${qualified(modelOf(aggregate).name, connection)})`;
}

/** What the view of a projection is provided under. */
export function getViewToken(projection: ProjectionClass, connection?: string): InjectionToken {
  return `View(${qualified(projectionOf(projection).name, connection)})`;
}

/** Injects the `Repository` of an aggregate that `EventStoreModule.forFeature` declares. */
export function InjectRepository(
  aggregate: AggregateType,
  connection?: string,
): ParameterDecorator & PropertyDecorator {
  return Inject(getRepositoryToken(aggregate, connection));
}

/** Injects the `ReadView` of a projection that `EventStoreModule.forFeature` declares; the `ExternalView` of an external one. */
export function InjectView(projection: ProjectionClass, connection?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getViewToken(projection, connection));
}

function qualified(name: string, connection = DEFAULT_CONNECTION): string {
  return connection === DEFAULT_CONNECTION ? name : `${connection}.${name}`;
}
