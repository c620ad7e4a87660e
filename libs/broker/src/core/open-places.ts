import type { Broker } from './broker.js';
import type { HandlerGroup } from './handler.js';
import type { Logger } from './logger.js';
import { addressOf, ownLog } from './partition.js';
import type { Partition, Source } from './partition.js';
import { Place } from './place.js';

/** Every partition that a group reads, with its logs, in which the group exists from then on. */
export async function openPlaces(broker: Broker, group: HandlerGroup, logger: Logger): Promise<Place[]> {
  const found = new Map<string, { partition: Partition; sources: Source[] }>();
  for (const { context, log } of group.sources) {
    const count = await broker.partitionsOf(context);
    for (let index = 0; index < count; index++) {
      const partition = { context, index };
      const own = { partition, log: ownLog(group.name) };
      const known = found.get(addressOf(partition)) ?? { partition, sources: [own] };
      if (log !== own.log) known.sources.push({ partition, log });
      found.set(addressOf(partition), known);
    }
  }
  const places = [...found.values()].map(({ partition, sources }) => new Place(partition, sources));
  for (const source of places.flatMap(({ sources }) => sources)) {
    const { status, missed } = await broker.store.createGroup(source, group.name);
    if (status === 'restored') reportReturn(logger, group, source, missed);
  }
  return places;
}

function reportReturn(logger: Logger, { name }: HandlerGroup, { partition, log }: Source, missed: boolean): void {
  const where = `group '${name}' was gone from ${addressOf(partition)} ${log}`;
  if (missed) logger.error(`${where}: it goes on where it was, but entries were removed meanwhile`);
  else logger.warn(`${where}: it goes on where it was, nothing is lost`);
}
