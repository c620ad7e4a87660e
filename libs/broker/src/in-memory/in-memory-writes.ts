import { MESSAGE_FIELD } from '@millrace/messages';
import type { Appended, AppendWrite, Write } from '../core/commit.js';
import { checkName } from '../core/keys.js';
import { ownLog } from '../core/partition.js';
import type { Partition } from '../core/partition.js';
import { checkpointOf } from './in-memory-checkpoint.js';
import { obtain, retryField } from './in-memory-data.js';
import type { InMemoryData } from './in-memory-data.js';
import { InMemoryRowIndex, membersOf } from './in-memory-row-index.js';
import { InMemoryTimers } from './in-memory-timers.js';

/** A write whose names have been checked, so that it cannot fail any more. */
export type PreparedWrite = () => Appended | undefined;

export function prepareWrite(data: InMemoryData, partition: Partition, write: Write): PreparedWrite {
  switch (write.kind) {
    case 'append':
      return prepareAppend(data, partition, write);
    case 'put': {
      const key = data.keys.state(partition, write.state);
      return act(() => {
        data.states.set(key, { revision: (data.state(key)?.revision ?? 0) + 1, value: write.value });
        if (write.ttlMs === 0) data.stateEnds.delete(key);
        else if (write.ttlMs !== undefined) data.stateEnds.set(key, data.clock.now() + write.ttlMs);
      });
    }
    case 'delete': {
      const key = data.keys.state(partition, write.state);
      return act(() => data.forgetState(key));
    }
    case 'advance': {
      const key = data.keys.state(partition, write.state);
      const feed = data.log({ partition, log: 'feed' });
      return act(() => {
        const { last } = write;
        const value = JSON.stringify({ ...checkpointOf(data, key), position: feed.length, last });
        data.states.set(key, { revision: (data.state(key)?.revision ?? 0) + 1, value });
      });
    }
    case 'row': {
      const rows = obtain(data.views, data.keys.view(partition, write.view), () => new Map<string, string>());
      const { id, value, entries } = write;
      // Made here already: that checks the names.
      if (entries) membersOf(id, entries);
      const index = obtain(
        data.viewIndexes,
        data.keys.viewIndex(partition, write.view)[0],
        () => new InMemoryRowIndex(),
      );
      return act(() => {
        if (value === null) rows.delete(id);
        else rows.set(id, value);
        if (entries) index.list(id, entries);
      });
    }
    case 'list': {
      const [name] = data.keys.viewIndex(partition, write.view);
      const index = obtain(data.viewIndexes, name, () => new InMemoryRowIndex());
      const [gone, added] = [membersOf(write.id, write.remove), membersOf(write.id, write.add)];
      return act(() => index.move(gone, added));
    }
    case 'tombstone': {
      const { by, ttlMs, partition: home = partition } = write;
      const key = data.keys.tombstone(home, write.effect);
      return act(() => data.tombstones.set(key, { by, until: data.clock.now() + ttlMs }));
    }
    case 'drop-view': {
      const [rows, [index]] = [data.keys.view(partition, write.view), data.keys.viewIndex(partition, write.view)];
      return act(() => {
        data.views.get(rows)?.clear();
        data.viewIndexes.get(index)?.clear();
      });
    }
    case 'emit': {
      const log = data.log({ partition: write.to, log: write.log ?? 'in' });
      return act(() => log.append([MESSAGE_FIELD, write.message], data.clock.now()));
    }
    case 'timer': {
      const { due, message, note, partition: home = partition, to = { partition: home, log: 'in' } } = write;
      const timer = { partition: home, id: checkName(write.id, 'timer'), due, message, to, note };
      const timers = timersOf(data, home);
      data.keys.log(to);
      return act(() => timers.set(timer));
    }
    case 'reply': {
      const replies = data.repliesTo(write.to);
      return act(() => replies.add(write.message, data.clock.now()));
    }
    case 'cancel-timer': {
      const id = checkName(write.id, 'timer');
      const timers = timersOf(data, write.partition ?? partition);
      return act(() => timers.cancel(id));
    }
    case 'dead-letter': {
      data.keys.parked(partition, write.letter.group);
      const letters = data.deadLetters(partition);
      return act(() => letters.keep(write, data.clock.now()));
    }
    case 'redrive': {
      const own = data.log({ partition, log: ownLog(write.group) });
      const letters = data.deadLetters(partition);
      return act(() => letters.redrive(write.id, own, data.clock.now(), write.parked, write.fields));
    }
    case 'discard': {
      const letters = data.deadLetters(partition);
      return act(() => letters.discard(write.id));
    }
    case 'unpark': {
      const own = data.log({ partition, log: ownLog(write.group) });
      const letters = data.deadLetters(partition);
      return act(() => letters.unpark(write.group, write.key, own, data.clock.now()));
    }
    case 'retry':
    case 'clear-retry': {
      const retries = data.retriesOf(write.entry.source, write.group);
      const field = retryField(write.entry);
      return act(() => (write.kind === 'retry' ? retries.set(field, write.record) : retries.delete(field)));
    }
  }
}

function timersOf(data: InMemoryData, partition: Partition): InMemoryTimers {
  return obtain(data.timers, data.keys.timers(partition)[0], () => new InMemoryTimers());
}

function prepareAppend(
  data: InMemoryData,
  partition: Partition,
  { stream, events, category, tags = [] }: AppendWrite,
): PreparedWrite {
  const feed = data.log({ partition, log: 'feed' });
  const key = stream === undefined ? undefined : data.keys.stream(partition, stream);
  const categories = key === undefined || category === undefined ? [] : [data.keys.category(partition, category)];
  const tagged = tags.map((each) => Array.from(new Set(each), (tag) => data.keys.tagged(partition, tag)));
  return () => {
    const positions = key === undefined ? [] : obtain(data.streams, key, (): number[] => []);
    for (const [index, event] of events.entries()) {
      feed.append([MESSAGE_FIELD, event], data.clock.now());
      const indexes = [...categories, ...(tagged[index] ?? [])];
      for (const each of indexes) obtain(data.indexes, each, (): number[] => []).push(feed.length);
      if (key !== undefined) positions.push(feed.length);
      if (key !== undefined || indexes.length > 0) data.retention(partition).firstStreamEvent ??= feed.length;
    }
    return { position: feed.length, version: positions.length };
  };
}

function act(write: () => unknown): PreparedWrite {
  return () => {
    write();
    return undefined;
  };
}
