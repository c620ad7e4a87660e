import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from '@millrace/messages';
import { hasEnded } from '@millrace/saga';
import type { SagaInstance } from '@millrace/saga';
import { spawnBound } from '@millrace/testing';
import { once } from 'node:events';
import { programOf } from '../support/program-of.js';
import { redisUrl } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import type { Site } from '../support/site.js';

const PROGRAM = programOf('saga-process');

interface Kill {
  readonly when: 'before' | 'after';
  readonly commit: number;
  /** What the saga is refused at, if anything. */
  readonly bad?: string;
}

/** How many commits lie between two kills: `npm run kill-points` has one at each, which takes minutes. */
const EVERY = Number(process.env['MILLRACE_KILL_EVERY'] ?? 24);

/** One process: it finishes the saga `last`, starts `id`, and is killed as told. @returns whether it was. */
async function run(site: Site, ledger: string, last?: string, id?: string, kill?: Kill): Promise<boolean> {
  const argument = JSON.stringify({ url: redisUrl(), namespace: site.namespace, ledger, last, id, kill });
  const child = spawnBound(process.execPath, [PROGRAM, argument], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (signal === null) expect(code).toBe(0);
  return signal === 'SIGKILL';
}

/** Kills a process around its first commit, a later one, and so on, until one saga ends before it is killed. */
async function killAtEveryPoint(site: Site, ledger: string, when: Kill['when'], bad?: string): Promise<string[]> {
  const ids: string[] = [];
  for (let commit = 1; ; commit += EVERY) {
    const id = `${bad ?? 'good'}-${when}-${commit}`;
    const killed = await run(site, ledger, ids.at(-1), id, { when, commit, ...(bad === undefined ? {} : { bad }) });
    ids.push(id);
    if (!killed) return ids;
  }
}

async function effectsIn(site: Site): Promise<Map<string, string[]>> {
  const effects = new Map<string, string[]>();
  for (const index of [0, 1]) {
    for (const entry of await site.store.readFeed({ context: 'work', index }, 0, 10_000)) {
      const { type, data } = decode(entry.fields, entry.id) as { type: string; data: { id: string; what: string } };
      if (type === 'work.effect') effects.set(data.id, [...(effects.get(data.id) ?? []), data.what]);
    }
  }
  return effects;
}

describe('a saga whose process is killed between any two commits', () => {
  it.each([
    ['that is completed', undefined, ['reserve', 'pack', 'label', 'ship'], ['1']],
    [
      'that is refused in the end',
      'ship',
      ['reserve', 'pack', 'label', 'undo pack', 'undo label', 'undo reserve'],
      ['1', '1/undo'],
    ],
  ] as const)(
    '%s has one effect of each step',
    async (_title, bad, expected, called) => {
      const folder = await mkdtemp(join(tmpdir(), 'saga-'));
      const ledger = join(folder, 'ledger');
      try {
        const site = await redisSite({ partitions: 2 });
        const ids = [
          ...(await killAtEveryPoint(site, ledger, 'before', bad)),
          ...(await killAtEveryPoint(site, ledger, 'after', bad)),
        ];
        const effects = await effectsIn(site);
        const lines = (await readFile(ledger, 'utf8')).trimEnd().split('\n');
        let points = 0;
        for (const id of ids) {
          const stored = await site.store.readState(site.broker.partitionFor(id), `saga.order.${id}`);
          const { instance } = JSON.parse(stored!.value) as { readonly instance: SagaInstance };
          expect(hasEnded(instance)).toBe(true);
          expect(instance.status).toBe(bad === undefined ? 'completed' : 'compensated');
          // Each committed effect exactly once, and what is undone, after what it undoes.
          expect([...effects.get(id)!].sort()).toEqual([...expected].sort());
          if (bad !== undefined) expect(effects.get(id)!.at(-1)).toBe('undo reserve');
          // A function may run again, and says so by its key.
          expect([...new Set(lines.filter((line) => line.startsWith(`order/${id}/`)))]).toEqual(
            called.map((key) => `order/${id}/${key}`),
          );
          points++;
        }
        // Each round ends with one that is not killed.
        console.info(`killed at ${points - 2} points, ${ids.length} sagas`);
        expect(points).toBeGreaterThan(30 / EVERY);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    300_000,
  );
});
