import type { Broker } from './broker.js';
import type { ArchivedRange, GroupStart } from './follower.js';
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
  const passed: string[] = [];
  for (const source of places.flatMap(({ sources }) => sources)) {
    const start = await broker.store.createGroup(source, group.name);
    if (start.status === 'restored') reportReturn(logger, group, source, start);
    else if (start.archived) passed.push(rangeText(source.partition, start.archived));
  }
  if (passed.length > 0) reportPassed(logger, group, passed);
  return places;
}

function reportReturn(logger: Logger, { name }: HandlerGroup, { partition, log }: Source, start: GroupStart): void {
  const where = `group '${name}' was gone from ${addressOf(partition)} ${log}`;
  if (!start.missed) return logger.warn(`${where}: it goes on where it was, nothing is lost`);
  const archive = start.archived ? `; the archive has ${rangeText(partition, start.archived)}. ${WAY_OUT}` : '';
  logger.error(`${where}: it goes on where it was, but entries were removed meanwhile${archive}`);
}

function reportPassed(logger: Logger, { name }: HandlerGroup, passed: readonly string[]): void {
  logger.warn(
    `group '${name}' is new and begins behind archived events, which its handlers will not get: ${passed.join(', ')}. ${WAY_OUT}`,
  );
}

function rangeText(partition: Partition, { from, to }: ArchivedRange): string {
  return `${from} to ${to} of ${addressOf(partition)}`;
}

const WAY_OUT = `No group reads in the archive: where they count, make a projection of them, or read them once with readAll()`;
