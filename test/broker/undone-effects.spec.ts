import { DeadLetters, inBatches, silent, Subscriber, Subscriptions, SUPERSEDED, UnitOfWork } from '@millrace/broker';
import type { MessageContext, SubscriberSettings } from '@millrace/broker';
import { command, ledger } from '../support/effects.js';
import { eventually, onTestFinished } from '../support/redis.js';
import { gate, SITES } from '../support/site.js';
import type { Handle, Site } from '../support/site.js';

interface Data {
  readonly n: number;
  readonly home?: number;
}

const competing: SubscriberSettings = { ordering: 'none', leaseTtlMs: 600 };

function note({ home }: Data, { entry }: MessageContext, what: object): void {
  const { partition } = entry.source;
  const write = { kind: 'append', stream: 'ledger', events: [JSON.stringify(what)] } as const;
  UnitOfWork.current()!.stage({ ...partition, index: home ?? partition.index }, { writes: [write] });
}

/** Handlers that write into the ledger, and which of them were called. */
function participant(doing: Handle = () => undefined) {
  const called: string[] = [];
  const handlers: Record<string, Handle> = {
    'work.do': async (data: Data, context) => {
      called.push(`do ${data.n}`);
      await doing(data, context);
      note(data, context, { did: data.n });
    },
    'work.undo': (data: Data, context) => {
      called.push(`undo ${data.n}`);
      note(data, context, { undid: data.n });
    },
  };
  return { called, handlers };
}

async function settled(site: Site, partitions = 1): Promise<void> {
  for (let index = 0; index < partitions; index++) await eventually(async () => expect(await site.open(index)).toBe(0));
}

/** The messages that have come to another context. */
async function arrived(site: Site): Promise<readonly Record<string, unknown>[]> {
  const source = { partition: { context: 'asker', index: 0 }, log: 'in' } as const;
  await site.store.createGroup(source, 'look');
  const reader = site.store.openReader();
  await reader.readGroup('look', [source], 100, 0);
  await reader.close();
  const entries = await site.store.readPending(source, 'look', '0', 100);
  return entries.map(({ fields }) => JSON.parse(fields[1]!) as Record<string, unknown>);
}

describe.each(SITES)('a command whose effect has been undone, in %s', (_name, open) => {
  it('is not handled any more, and whoever wants a reply is told who undid it', async () => {
    const site = await open();
    const { called, handlers } = participant();
    const warned: string[] = [];
    const logger = { ...silent, warn: (text: string) => void warned.push(text) };
    const subscriber = site.subscriber(handlers, {}, logger);
    await subscriber.start();
    await command(site, 'undo', 1);
    await settled(site);
    await command(site, 'do', 1, { replyto: 'asker/0' });
    await command(site, 'do', 2, { replyto: 'asker/0' });
    await settled(site);
    expect(called).toEqual(['undo 1', 'do 2']);
    expect(await ledger(site)).toEqual([{ undid: 1 }, { did: 2 }]);
    expect(subscriber.superseded.get('work')).toBe(1);
    expect(warned).toEqual([expect.stringContaining("its effect 'e1' has been undone by work.undo undo-1")]);
    expect(await arrived(site)).toMatchObject([
      {
        ...{ type: SUPERSEDED, outcome: 'failure', inreplyto: 'do-1', causationid: 'do-1', partitionkey: '1' },
        data: { effect: 'e1', undoneBy: { id: 'undo-1', source: '/by-hand', type: 'work.undo' } },
      },
    ]);
  });

  it('and that another process had undone is refused by its commit, when it comes for the first time', async () => {
    const site = await open();
    const [first, second] = [participant(), participant()];
    const former = await site.start(first.handlers);
    await command(site, 'undo', 1);
    await settled(site);
    await former.stop();
    // As another process, it has seen nothing.
    Object.assign(site.broker.undone, { effects: new Set() });
    const latter = await site.start(second.handlers);
    await command(site, 'do', 1);
    await settled(site);
    expect(second.called).toEqual(['do 1']);
    expect(await ledger(site)).toEqual([{ undid: 1 }]);
    expect(latter.superseded.get('work')).toBe(1);
  });

  it('while it was in its handler is refused by its commit', async () => {
    const site = await open();
    const door = gate();
    const { called, handlers } = participant(() => door.passed);
    await site.start(handlers, competing);
    await command(site, 'do', 1, { replyto: 'asker/0' });
    await eventually(() => expect(called).toEqual(['do 1']));
    await command(site, 'undo', 1);
    await eventually(async () => expect(await ledger(site)).toEqual([{ undid: 1 }]));
    door.open();
    await settled(site);
    expect(await ledger(site)).toEqual([{ undid: 1 }]);
    expect(await arrived(site)).toMatchObject([{ type: SUPERSEDED, inreplyto: 'do-1' }]);
  });

  it('while it was in a handler that decides nothing is refused, too, and its reply is not sent', async () => {
    const site = await open();
    const door = gate();
    const called: string[] = [];
    const handlers: Record<string, Handle> = {
      'work.do': async () => void (called.push('do'), await door.passed),
      'work.undo': () => void called.push('undo'),
    };
    const subscriber = await site.start(handlers, competing);
    await command(site, 'do', 1);
    await eventually(() => expect(called).toEqual(['do']));
    await command(site, 'undo', 1);
    await eventually(async () => expect(await site.store.readTombstone(site.inbox().partition, 'e1')).toBeDefined());
    door.open();
    await settled(site);
    expect(subscriber.superseded.get('work')).toBe(1);
  });

  it('while it waited for its next attempt is not handled again', async () => {
    const site = await open();
    const { called, handlers } = participant(() => {
      throw new Error('not now');
    });
    const retry = { attempts: 5, delayMs: 400, factor: 1 };
    const subscriber = await site.start(handlers, { ...competing, retry });
    await command(site, 'do', 1);
    await eventually(() => expect(called).toEqual(['do 1']));
    await command(site, 'undo', 1);
    await settled(site);
    expect(called).toEqual(['do 1', 'undo 1']);
    expect(await ledger(site)).toEqual([{ undid: 1 }]);
    expect(subscriber.superseded.get('work')).toBe(1);
    expect(await site.deadLetters()).toEqual([]);
  });

  it('while it was a dead letter is not handled when it is redriven, nor does it hold its key back any longer', async () => {
    const site = await open();
    const { called, handlers } = participant((data: Data) => {
      if (data.n === 1) throw new Error('never');
    });
    const retry = { attempts: 1 };
    await site.start(handlers, { retry, onFailure: 'park-key' });
    await command(site, 'do', 1, { key: 'k' });
    await eventually(async () => expect(await site.deadLetters()).toMatchObject([{ reason: 'handler-failed' }]));
    await command(site, 'undo', 1, { key: 'another' });
    await command(site, 'do', 2, { key: 'k' });
    await eventually(async () => expect(await site.deadLetters()).toHaveLength(2));
    const deadLetters = new DeadLetters(site.broker, new Subscriptions(site.context));
    const { letters } = await deadLetters.list();
    await deadLetters.redrive(letters.find(({ reason }) => reason !== 'parked')!.id);
    await eventually(async () => expect(await ledger(site)).toEqual([{ undid: 1 }, { did: 2 }]));
    expect(called).toEqual(['do 1', 'undo 1', 'do 2']);
    await eventually(async () => expect(await site.deadLetters()).toEqual([]));
  });

  it('is found out wherever the two of them write, and by whichever partition they came', async () => {
    const site = await open({ partitions: 4 });
    const { handlers } = participant();
    await site.start(handlers);
    // Both come by one partition and write to two; then by two, and write to one.
    await command(site, 'undo', 1, { data: { home: 1 } });
    await command(site, 'undo', 2, { data: { home: 3 } });
    await settled(site);
    Object.assign(site.broker.undone, { effects: new Set() });
    await command(site, 'do', 1, { data: { home: 2 } });
    await command(site, 'do', 2, { data: { home: 3 }, to: 1 });
    await settled(site, 2);
    expect(await Promise.all([1, 2, 3].map((index) => ledger(site, index)))).toEqual([
      [{ undid: 1 }],
      [],
      [{ undid: 2 }],
    ]);
  });

  it('is handled again after the time for which that is remembered', async () => {
    const site = await open();
    Object.assign(site.broker, { tombstoneTtlMs: 60 });
    const { called, handlers } = participant();
    await site.start(handlers);
    await command(site, 'undo', 1);
    await settled(site);
    await eventually(async () => expect(await site.store.readTombstone(site.inbox().partition, 'e1')).toBeUndefined());
    await command(site, 'do', 1);
    await settled(site);
    expect(called).toEqual(['undo 1', 'do 1']);
  });

  it('comes to a handler of batches alone, or not at all', async () => {
    const site = await open();
    const batches: number[][] = [];
    const subscriptions = new Subscriptions(site.context);
    const where = { context: site.context, log: 'in' } as const;
    const batch = inBatches('batches', { size: 10, waitMs: 50 }, (all: readonly object[]) => {
      batches.push(all.map((data) => (data as Data).n));
    });
    subscriptions.add({ ...where, name: 'batches', type: 'work.do', ...batch });
    subscriptions.add({ ...where, name: 'undoing', type: 'work.undo', handle: () => undefined });
    const subscriber = new Subscriber(site.broker, subscriptions, { blockMs: 100 });
    onTestFinished(() => subscriber.stop());
    await subscriber.start();
    await command(site, 'undo', 1);
    await settled(site);
    for (const n of [1, 2]) await command(site, 'do', n);
    for (const n of [3, 4]) await site.say('work.do', { n });
    await settled(site);
    expect(batches.sort()).toEqual([[2], [3, 4]]);
    expect(subscriber.superseded.get('work')).toBe(1);
  });
});

describe.each(SITES)('an effect, in %s', (_name, open) => {
  it('that stands costs no look and leaves nothing behind, and is undone when it has been done', async () => {
    const site = await open();
    const looks: string[] = [];
    const { readTombstone } = site.store;
    site.store.readTombstone = (partition, effect) => {
      looks.push(effect);
      return readTombstone.call(site.store, partition, effect);
    };
    const { handlers } = participant();
    await site.start(handlers);
    await command(site, 'do', 1);
    await settled(site);
    expect(looks).toEqual([]);
    expect(await readTombstone.call(site.store, site.inbox().partition, 'e1')).toBeUndefined();
    await command(site, 'undo', 1);
    await settled(site);
    expect(await ledger(site)).toEqual([{ did: 1 }, { undid: 1 }]);
  });

  it('is not undone by a command that failed or whose time was over', async () => {
    const site = await open();
    const { handlers } = participant();
    const failing = { ...handlers, 'work.undo': () => Promise.reject(new Error('no')) };
    await site.start(failing, { retry: { attempts: 1 } });
    await command(site, 'undo', 1);
    const over = { type: 'work.undo', data: '{}', undoes: 'e1', expirytime: '2020-01-01T00:00:00Z' };
    await site.write(Object.entries(over).flat());
    await settled(site);
    expect(await site.deadLetters()).toHaveLength(1);
    await command(site, 'do', 1);
    await settled(site);
    expect(await ledger(site)).toEqual([{ did: 1 }]);
  });
});
