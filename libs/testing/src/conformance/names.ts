import { ownLog } from '@millrace/broker';
import type { Commit, Guard, PartitionStore, Write } from '@millrace/broker';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

const BAD_NAMES = ['', 'with space', 'a{b}', 'a*', 'line\r\nbreak', 'nul\0', 'up/../down', 'x'.repeat(257)];
const BAD_CONTEXTS = ['', 'Catalog', '1st', 'a:b', '{a}', 'a b', 'x'.repeat(65)];

export function describeNames(subject: Subject): void {
  describe('names', () => {
    it.each(BAD_CONTEXTS)('refuses the context %j', async (context) => {
      const { store } = subject();
      const partition = { context, index: 0 };
      await refuses(store.declareContext(context, 1));
      await refuses(store.partitionsOf(context, 1));
      await refuses(store.commit({ partition, guards: [], writes: [{ kind: 'append', events: ['x'] }] }));
      await refuses(store.readFeed(partition, 0, 1));
      await refuses(store.createGroup(inboxOf(partition), 'g'));
    });

    it.each(BAD_NAMES)('refuses the name %j in every part of a commit and writes nothing', async (name) => {
      const { store } = subject();
      const partition = freshPartition();
      for (const part of partsNamed(name)) {
        await refuses(store.commit(withAppendBefore(partition, part)));
      }
      expect(await store.head(partition)).toBe(0);
    });

    it.each(BAD_NAMES)('refuses the name %j wherever it is read', async (name) => {
      const { store } = subject();
      for (const read of readsNamed(store, name)) await refuses(read());
    });

    it('takes letters of any script, and punctuation', async () => {
      const { store } = subject();
      const partition = freshPartition();
      const state = 'заказ:№7/ü-(a)#%&+,;=@~"\'<>|$^`!';
      await store.commit({ partition, guards: [], writes: [{ kind: 'put', state, value: 'v' }] });
      expect(await store.readState(partition, state)).toEqual({ revision: 1, value: 'v' });
    });
  });
}

async function refuses(action: Promise<unknown>): Promise<void> {
  await expect(action).rejects.toMatchObject({ code: 'configuration' });
}

type Parts = { readonly guards?: readonly Guard[]; readonly writes?: readonly Write[] };

function withAppendBefore(partition: Commit['partition'], { guards = [], writes = [] }: Parts): Commit {
  return { partition, guards, writes: [{ kind: 'append', events: ['written too early'] }, ...writes] };
}

function partsNamed(name: string): readonly Parts[] {
  const partition = freshPartition();
  const entry = { source: inboxOf(partition), id: '1-1' };
  const record = { attempts: 1, due: 1, first: 1, error: 'e' };
  return [
    { guards: [{ kind: 'lease', partition, group: name, epoch: 1 }] },
    { guards: [{ kind: 'command', id: name, result: 'r', ttlMs: 1000 }] },
    { guards: [{ kind: 'version', stream: name, expected: 0 }] },
    { guards: [{ kind: 'tags', query: [{ tags: ['t', name] }], after: 0 }] },
    { guards: [{ kind: 'revision', state: name, expected: 0 }] },
    { guards: [{ kind: 'input', entry, group: name }] },
    { writes: [{ kind: 'append', stream: name, events: ['x'] }] },
    { writes: [{ kind: 'append', stream: 's', category: name, events: ['x'] }] },
    { writes: [{ kind: 'append', events: ['x', 'y'], tags: [['t'], [name]] }] },
    { writes: [{ kind: 'put', state: name, value: 'v' }] },
    { writes: [{ kind: 'delete', state: name }] },
    { writes: [{ kind: 'row', view: name, id: 'r', value: 'v' }] },
    { writes: [{ kind: 'row', view: name, id: 'r', value: 'v', entries: [] }] },
    { writes: [{ kind: 'row', view: 'v', id: 'r', value: 'v', entries: [{ index: name, value: 'x' }] }] },
    { writes: [{ kind: 'list', view: name, id: 'r', remove: [], add: [] }] },
    { writes: [{ kind: 'list', view: 'v', id: 'r', remove: [{ index: name, value: 'x' }], add: [] }] },
    { writes: [{ kind: 'list', view: 'v', id: 'r', remove: [], add: [{ index: name, value: 'x' }] }] },
    { writes: [{ kind: 'drop-view', view: name }] },
    { writes: [{ kind: 'advance', state: name }] },
    { guards: [{ kind: 'reached', state: name }] },
    { guards: [{ kind: 'row', view: name, id: 'r', expected: null }] },
    { writes: [{ kind: 'emit', to: { context: `Bad ${name}`, index: 0 }, message: 'm' }] },
    { writes: [{ kind: 'reply', to: { partition, instance: name }, message: 'm' }] },
    { writes: [{ kind: 'timer', id: name, due: 1, message: 'm' }] },
    { writes: [{ kind: 'cancel-timer', id: name }] },
    { writes: [{ kind: 'retry', entry, group: name, record }] },
    { writes: [{ kind: 'clear-retry', entry, group: name }] },
    { guards: [{ kind: 'parked', group: name, key: 'k' }] },
    { writes: [{ kind: 'redrive', id: '1-1', group: name }] },
    { writes: [{ kind: 'unpark', group: name, key: 'k' }] },
  ];
}

function readsNamed(store: PartitionStore, name: string): readonly (() => Promise<unknown>)[] {
  const partition = freshPartition();
  const source = inboxOf(partition);
  return [
    () => store.readStream(partition, name),
    () => store.readTagged(partition, name),
    () => store.readCategory(partition, name),
    () => store.readState(partition, name),
    () => store.readRow(partition, name, 'r'),
    () => store.readRows(partition, name),
    () => store.listRows(partition, name, { index: 'i', limit: 1 }),
    () => store.listRows(partition, 'v', { index: name, limit: 1 }),
    () => store.countRows(partition, name, { index: 'i' }),
    () => store.countRows(partition, 'v', { index: name }),
    () => store.readCommand(partition, name),
    () => store.createGroup(source, name),
    () => store.openReplies({ partition, instance: name }, 1000),
    () => store.closeReplies({ partition, instance: name }),
    () => store.sendReply({ partition, instance: name }, 'm'),
    () => store.createGroup({ partition, log: ownLog(name) }, 'g'),
    () => store.acquireLease({ partition, group: name, owner: 'me', ttlMs: 1000 }),
    () => store.releaseLease(partition, name, 1),
    () => store.readPending(source, name, '0', 1),
    () => store.backlog(source, name),
    () => store.readParked(partition, name),
    () => store.readHolder(partition, name, 'k'),
  ];
}
