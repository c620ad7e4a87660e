import type { SubscriberSettings } from '@millrace/broker';
import { stateName } from '@millrace/saga';
import type { CodeState, SagaInstance } from '@millrace/saga';
import { Redis } from 'ioredis';
import { programOf } from '../support/program-of.js';
import { eventually, onTestFinished, redisUrl } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import type { Site } from '../support/site.js';
import { Worker } from '../support/worker.js';

const PROGRAM = programOf('code-saga-process');
/** How many commits lie between two kills: `npm run kill-points` has one at each, which takes minutes. */
const EVERY = Number(process.env['MILLRACE_KILL_EVERY'] ?? 6);

/** More commits than a run of the saga has: the last process is not killed at all. */
const MOST_COMMITS = 40;

interface Told extends SubscriberSettings {
  readonly killAt?: number;
  readonly fails?: boolean;
}

/** What has been done, each effect by its idempotency key. */
async function effects(site: Site): Promise<readonly string[]> {
  const redis = new Redis(redisUrl());
  const keys = await redis.hkeys(`${site.namespace}-ledger`);
  redis.disconnect();
  return keys.sort();
}

async function instanceOf(site: Site, trip: string): Promise<SagaInstance<CodeState> | undefined> {
  const found = await site.store.readState({ context: 'work', index: 0 }, stateName('book-trip', trip));
  return found && (JSON.parse(found.value) as { readonly instance: SagaInstance<CodeState> }).instance;
}

/** Processes that are killed before their first, second, third ... commit, each followed by one that is not. */
async function everyCrash(told: Told, check: (site: Site, trip: string) => Promise<void>): Promise<number> {
  for (let killAt = 1; killAt < MOST_COMMITS; killAt += EVERY) {
    const site = await redisSite({ partitions: 1 });
    onTestFinished(async () => {
      const redis = new Redis(redisUrl());
      await redis.del(`${site.namespace}-ledger`);
      redis.disconnect();
    });
    const start = (settings: Told) =>
      Worker.start(site, { leaseTtlMs: 500, ...told, ...settings }, redisUrl(), PROGRAM);
    const killed = start({ killAt });
    await eventually(() => expect(killed.lines).toContain('ready'), 30_000);
    const trip = `t${killAt}`;
    const event = JSON.stringify({
      specversion: '1.0',
      id: trip,
      source: '/test',
      type: 'work.trip-requested',
      time: new Date().toISOString(),
      partitionkey: trip,
      data: { trip },
    });
    const partition = { context: 'work', index: 0 };
    await site.store.commit({ partition, guards: [], writes: [{ kind: 'append', events: [event] }] });
    const dies = killed.ended.then(() => 'died');
    const ends = eventually(async () => {
      const instance = await instanceOf(site, trip);
      expect(instance?.endedAt).toBeDefined();
      return 'ended';
    }, 30_000);
    const first = await Promise.race([dies, ends]);
    if (first === 'died') start({});
    await ends;
    await check(site, trip);
    if (first === 'ended') return killAt - 1;
  }
  throw new Error(`the saga has more than ${MOST_COMMITS} commits`);
}

describe('a saga of code whose process is killed before any of its commits', () => {
  it('goes on in another process, with each effect once', async () => {
    const crashes = await everyCrash({}, async (site, trip) => {
      expect(await instanceOf(site, trip)).toMatchObject({
        status: 'completed',
        state: { output: [`${trip}-room`, `${trip}-seat`, 'car'] },
      });
      const place = `book-trip/${trip}/0.`;
      expect(await effects(site)).toEqual([`car ${place}2`, `mail ${place}4`, `room ${place}0`, `seat ${place}1/do/1`]);
    });
    console.log(`killed before commits up to the ${crashes}th`);
    expect(crashes).toBeGreaterThan(5);
  }, 600_000);

  it('is undone in another process, with each effect undone once', async () => {
    const crashes = await everyCrash({ fails: true }, async (site, trip) => {
      expect(await instanceOf(site, trip)).toMatchObject({ status: 'compensated', failure: { reason: 'no money' } });
      const place = `book-trip/${trip}/0.`;
      expect(await effects(site)).toEqual([
        `cancel car ${place}2`,
        `cancel room ${place}0`,
        `car ${place}2`,
        `room ${place}0`,
        `seat ${place}1/do/1`,
      ]);
    });
    console.log(`killed before commits up to the ${crashes}th`);
    expect(crashes).toBeGreaterThan(5);
  }, 600_000);
});
