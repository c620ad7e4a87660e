import { encode, envelope } from '@millrace/messages';
import { eventually } from '../support/redis.js';
import { gate, SITES } from '../support/site.js';
import type { Site } from '../support/site.js';

async function setTimers(site: Site, count: number, dueIn: (n: number) => number): Promise<void> {
  const now = Date.now();
  for (let n = 0; n < count; n++) {
    const due = now + dueIn(n);
    const message = encode(envelope({ source: '/work', type: 'work.ring', data: { n, due } }));
    const partition = { context: 'work', index: n % site.partitions };
    await site.store.commit({ partition, guards: [], writes: [{ kind: 'timer', id: `t-${n}`, due, message }] });
  }
}

describe.each(SITES)('timers on %s', (_name, open) => {
  it('ring once and in time, with two processes of one service', async () => {
    const site = await open({ partitions: 2 });
    const rung: { n: number; late: number }[] = [];
    const ring = ({ n, due }: { n: number; due: number }) => void rung.push({ n, late: Date.now() - due });
    await site.start({ 'work.ring': ring });
    await site.start({ 'work.ring': ring });
    await setTimers(site, 40, (n) => 200 + n * 10);
    await eventually(() => expect(rung).toHaveLength(40));
    await eventually(async () => expect([await site.open(0), await site.open(1)]).toEqual([0, 0]));
    expect(rung.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    const lates = rung.map(({ late }) => late).sort((a, b) => a - b);
    expect(lates[0]).toBeGreaterThanOrEqual(0);
    // The median: a busy machine may hold up one or the other.
    expect(lates[20]).toBeLessThan(200);
  });

  it('ring after a restart, those that came due meanwhile at once', async () => {
    const site = await open();
    const first = await site.start({ 'work.ring': () => undefined });
    await setTimers(site, 3, (n) => 50 + n * 150);
    await first.stop();
    const rung: number[] = [];
    const { passed, open: letGo } = gate();
    await site.start({
      'work.ring': ({ n, due }: { n: number; due: number }) => {
        expect(Date.now()).toBeGreaterThanOrEqual(due);
        if (rung.push(n) === 3) letGo();
      },
    });
    await passed;
    expect(rung).toEqual([0, 1, 2]);
  });

  it('do not ring when they are cancelled or moved', async () => {
    const site = await open();
    await setTimers(site, 2, () => 50);
    const partition = { context: 'work', index: 0 };
    const message = encode(envelope({ source: '/work', type: 'work.ring', data: { n: 'moved' } }));
    await site.store.commit({
      partition,
      guards: [],
      writes: [
        { kind: 'cancel-timer', id: 't-0' },
        { kind: 'timer', id: 't-1', due: Date.now() + 200, message },
      ],
    });
    const rung: unknown[] = [];
    await site.start({ 'work.ring': ({ n }: { n: unknown }) => void rung.push(n) });
    await eventually(() => expect(rung).toEqual(['moved']));
    expect(await site.store.dueTimers([partition], Number.MAX_SAFE_INTEGER, 10)).toEqual({ due: [], next: undefined });
  });
});
