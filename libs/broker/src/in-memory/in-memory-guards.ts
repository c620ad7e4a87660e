import type { Appended, ExpectedVersion, Guard } from '../core/commit.js';
import { checkName } from '../core/keys.js';
import type { Partition } from '../core/partition.js';
import { keyedQuery } from '../core/tag-query.js';
import { checkpointOf } from './in-memory-checkpoint.js';
import type { InMemoryData } from './in-memory-data.js';
import { newestMatch } from './in-memory-index.js';

/** A guard whose names have been checked. */
export interface PreparedGuard {
  readonly kind: Guard['kind'];
  /** What stands against the commit, or undefined. */
  readonly objection: () => string | undefined;
  /** What a commit leaves behind, so that the guard refuses its repetition. */
  readonly settle: (appended: readonly Appended[]) => void;
}

export function prepareGuard(data: InMemoryData, partition: Partition, guard: Guard): PreparedGuard {
  const { kind } = guard;
  switch (kind) {
    case 'lease': {
      const key = data.keys.lease(guard.partition, guard.group);
      return { kind, objection: () => epochOtherThan(data.leases.get(key)?.epoch, guard.epoch), settle: nothing };
    }
    case 'command': {
      const key = data.keys.command(guard.partition ?? partition, guard.id);
      return {
        kind,
        objection: () => data.command(key),
        settle: (appended) => {
          const places = guard.withAppended ? appended.map(({ position, version }) => ` ${position} ${version}`) : [];
          data.commands.set(key, { result: guard.result + places.join(''), until: data.clock.now() + guard.ttlMs });
        },
      };
    }
    case 'tombstone': {
      const key = data.keys.tombstone(guard.partition ?? partition, guard.effect);
      return { kind, objection: () => data.tombstone(key), settle: nothing };
    }
    case 'version': {
      const key = data.keys.stream(partition, guard.stream);
      return { kind, objection: () => unlessAt(data.streams.get(key)?.length ?? 0, guard.expected), settle: nothing };
    }
    case 'tags': {
      const queries = guard.query.map((query) => keyedQuery(data.keys, partition, query));
      const feed = data.log({ partition, log: 'feed' });
      return {
        kind,
        objection: () => {
          const found = Math.max(...queries.map((query) => newestMatch(data, feed, query, guard.after)));
          if (found > guard.after) return String(found);
          return guard.after > feed.length ? String(feed.length) : undefined;
        },
        settle: nothing,
      };
    }
    case 'revision': {
      const key = data.keys.state(partition, guard.state);
      return { kind, objection: () => unless(data.state(key)?.revision ?? 0, guard.expected), settle: nothing };
    }
    case 'row': {
      const key = data.keys.view(partition, guard.view);
      return {
        kind,
        objection: () => {
          const row = data.views.get(key)?.get(guard.id);
          return row === (guard.expected ?? undefined) ? undefined : (row ?? '');
        },
        settle: nothing,
      };
    }
    case 'reached': {
      const key = data.keys.state(partition, guard.state);
      const feed = data.log({ partition, log: 'feed' });
      return { kind, objection: () => unless(checkpointOf(data, key).position, feed.length), settle: nothing };
    }
    case 'timer': {
      const id = checkName(guard.id, 'timer');
      const [key] = data.keys.timers(guard.partition ?? partition);
      return {
        kind,
        objection: () => {
          const due = data.timers.get(key)?.get(id)?.due;
          return due === (guard.due ?? undefined) ? undefined : String(due ?? 'unset');
        },
        settle: nothing,
      };
    }
    case 'dead-letter': {
      const letters = data.deadLetters(partition);
      return { kind, objection: () => (letters.get(guard.id) ? undefined : 'gone'), settle: nothing };
    }
    case 'parked': {
      data.keys.parked(partition, guard.group);
      const { holders } = data.deadLetters(partition).parkedOf(guard.group);
      return { kind, objection: () => notHeld(holders.get(guard.key), guard.behind), settle: nothing };
    }
    case 'input': {
      const group = data.findGroup(guard.entry.source, guard.group);
      return {
        kind,
        objection: () => (group?.isPending(guard.entry.id) ? undefined : 'acknowledged'),
        settle: () => group?.acknowledge(guard.entry.id),
      };
    }
  }
}

function epochOtherThan(epoch: number | undefined, expected: number): string | undefined {
  return epoch === expected ? undefined : String(epoch ?? 0);
}

function unless(found: number, expected: number): string | undefined {
  return found === expected ? undefined : String(found);
}

function unlessAt(version: number, expected: ExpectedVersion): string | undefined {
  if (expected === 'exists') return version > 0 ? undefined : '0';
  return unless(version, expected === 'none' ? 0 : expected);
}

/** @param behind what should hold the key back; else anything may */
function notHeld(holder: string | undefined, behind: string | undefined): string | undefined {
  const held = behind === undefined ? holder !== undefined : holder === behind;
  return held ? undefined : (holder ?? '');
}

const nothing = (): void => undefined;
