import { ownLog } from '@millrace/broker';
import type { Entry, Partition, PartitionStore, Source } from '@millrace/broker';
import type { CommitModel } from './commit-model.js';
import { NAMES } from './commit-plan.js';
import { arrivedAt, deliver, repliesAt, textOf } from './entries.js';
import { fireTimers } from './fire-timers.js';
import type { StoreHarness } from './store-harness.js';

/** Everything that can be seen of a partition. Looking delivers what is pending, and fires all timers. */
export async function observed(harness: StoreHarness, partition: Partition) {
  const { store } = harness;
  const seen = ({ id, ...entry }: Entry) => ({ id, text: textOf({ id, ...entry }) });
  return {
    head: await store.head(partition),
    feed: (await store.readFeed(partition, 0, 1000)).map(seen),
    middle: (await store.readFeed(partition, 1, 2)).map(seen),
    streams: await each(NAMES.streams, async (stream) => {
      const { version, entries } = await store.readStream(partition, stream);
      const tail = await store.readStream(partition, stream, { after: 1 });
      return { version, entries: entries.map(seen), tail: tail.entries.map(seen) };
    }),
    tags: await each(NAMES.tags, async (tag) => (await store.readTagged(partition, tag)).entries.map(seen)),
    categories: await each(NAMES.categories, async (category) => {
      const { entries } = await store.readCategory(partition, category, { backwards: true });
      return entries.map(seen);
    }),
    states: await each(NAMES.states, (state) => store.readState(partition, state)),
    rows: await each(NAMES.views, async (view) => Object.fromEntries(await store.readRows(partition, view))),
    row: await store.readRow(partition, 'v', '1'),
    commands: await each(NAMES.commands, (id) => store.readCommand(partition, id)),
    tombstones: await each(NAMES.effects, (effect) => store.readTombstone(partition, effect)),
    dead: (await store.readDeadLetters(partition, 1000)).map(({ id: _id, ...letter }) => letter),
    parked: await each(NAMES.groups, async (group) => {
      const holders = await store.readParked(partition, group);
      return NAMES.keys.map((key) => holders.has(key) && (holders.get(key) === 'redriven' ? 'redriven' : 'letter'));
    }),
    own: await each(NAMES.groups, async (group) => {
      const entries = await deliver(harness, { partition, log: ownLog(group) }, 'observer');
      return entries.map(({ fields }) => fields);
    }),
    groups: await each(groupsOf(partition), ({ source, group }) => seenBy(store, source, group)),
    timers: await fireTimers(store, partition, Number.MAX_SAFE_INTEGER, 1000),
    inbox: await arrivedAt(harness, partition),
    replies: await each(NAMES.instances, (instance) => repliesAt(store, { partition, instance })),
  };
}

/** The same of the model. */
export function predicted(model: CommitModel, partition: Partition): Awaited<ReturnType<typeof observed>> {
  const { feed, states, rows, commands, tombstones, dead, parked, own, inbox, replies } = model.at(partition);
  const seen = ({ id, text }: { id: string; text: string }) => ({ id, text });
  return {
    head: feed.length,
    feed: feed.map(seen),
    middle: feed.slice(1, 3).map(seen),
    streams: NAMES.streams.map((stream) => {
      const entries = model.events(partition, stream).map(seen);
      return { version: entries.length, entries, tail: entries.slice(1) };
    }),
    tags: NAMES.tags.map((tag) => model.tagged(partition, tag).map(seen)),
    categories: NAMES.categories.map((category) => model.tagged(partition, `category ${category}`).map(seen).reverse()),
    states: NAMES.states.map((state) => {
      const values = states.get(state);
      return values && { revision: values.length, value: values.at(-1)! };
    }),
    rows: NAMES.views.map((view) => rows[view] ?? {}),
    row: rows['v']?.['1'],
    commands: NAMES.commands.map((id) => commands[id]),
    tombstones: NAMES.effects.map((effect) => tombstones.get(effect)),
    dead,
    parked: NAMES.groups.map((group) => NAMES.keys.map((key) => parked.get(`${group} ${key}`)?.held ?? false)),
    own: NAMES.groups.map((group) => own[group] ?? []),
    groups: groupsOf(partition).map(({ source, group }) => ({
      backlog: model.backlog(source, group),
      pending: model.redeliver(source, group).map((entry) => ({ ...entry, id: entry.id! })),
    })),
    timers: model.fireTimers(partition, Number.MAX_SAFE_INTEGER, 1000),
    inbox: inbox.map(({ text }) => text),
    replies: NAMES.instances.map((instance) => replies[instance] ?? []),
  };
}

async function seenBy(store: PartitionStore, source: Source, group: string) {
  const backlog = await store.backlog(source, group);
  const pending = await store.readPending(source, group, '0', 1000);
  return { backlog, pending: pending.map(({ id, deliveries, retry }) => ({ id, deliveries, retry })) };
}

function groupsOf(partition: Partition): readonly { source: Source; group: string }[] {
  return NAMES.groups.flatMap((group) => NAMES.logs.map((log) => ({ source: { partition, log }, group })));
}

function each<T, R>(names: readonly T[], look: (name: T) => Promise<R>): Promise<R[]> {
  return Promise.all(names.map(look));
}
