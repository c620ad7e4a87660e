import { randomUUID } from 'node:crypto';
import type { Broker } from './broker.js';
import type { Partition } from './partition.js';
import { SCHEDULE } from './schedule.js';
import type { UnitOfWork } from './unit-of-work.js';

/** Where a schedule is kept, and under which name. */
export interface SchedulePlace {
  readonly id: string;
  readonly timer: string;
  readonly partition: Partition;
}

/** A schedule is found by its id: its partition is that of the id. */
export function placeOf(broker: Broker, id: string): SchedulePlace {
  return { id, timer: `${SCHEDULE}${id}`, partition: broker.partitionFor(id) };
}

/**
 * A new id that belongs to a partition, so that setting it is part of a commit there also in a Cluster. Ids are drawn until one
 * fits: as many as there are partitions, on average.
 */
export function newPlaceIn(broker: Broker, partition: Partition): SchedulePlace {
  for (;;) {
    const place = placeOf(broker, randomUUID());
    if (place.partition.index === partition.index) return place;
  }
}

/** The own partition that a unit of work is about, if it is about one. */
export function ownPartition(broker: Broker, unit: UnitOfWork | undefined): Partition | undefined {
  return [unit?.partition, unit?.origin].find((partition) => partition?.context === broker.context);
}
