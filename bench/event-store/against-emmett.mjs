import { installed } from '../install.mjs';
import { privatePostgres } from '../postgres.mjs';
import { privateRedis } from '../redis.mjs';
import { here } from './cases.mjs';
import { compare, report } from './compare.mjs';

/** Appends that Millrace does in a round for each of emmett's: a round of it would be over before it is warm. */
const SHARE = 5;

/** Appends to emmett on PostgreSQL, whose every commit waits for the disk, and to Millrace on a Redis that does the same. */
export async function againstEmmett({ json, events, rounds }) {
  // Its peers would bring other versions of what is used here, and a MongoDB driver.
  await installed(here('emmett'));
  const [redis, postgres] = await Promise.all([privateRedis('always'), privatePostgres()]);
  console.error(`${redis.description}; ${postgres.description}; ${rounds} rounds of each side\n`);
  try {
    for (const writers of [16, 100]) {
      const compared = {
        name: `append 1 event, expected version; ${writers} in flight, every commit on disk`,
        unit: 'appends/s',
        count: Math.ceil(events / 200),
        theirs: {
          title: 'emmett-postgresql',
          file: here('append.emmett.mjs'),
          setting: { url: postgres.url, writers, events: 1 },
          server: postgres,
        },
        millrace: {
          file: here('append.millrace.mjs'),
          setting: { url: redis.url, namespace: 'bench', writers, events: 1 },
          share: SHARE,
        },
      };
      report(compared, await compare(redis, compared, rounds), json);
    }
  } finally {
    await Promise.all([redis.stop(), postgres.stop()]);
  }
}
