import { bundlePrograms } from './support/bundle-programs.mjs';

/**
 * One Redis for all tests, found as the demo finds it. Tests use `process.env.TEST_REDIS_URL` and a namespace of their own.
 * A server named by TEST_REDIS_URL beforehand is used as it is.
 *
 * Specs that need a PostgreSQL start one of their own. Where there is none and none can be installed they are left out, and
 * TEST_POSTGRES is `none`; in CI that is a failure.
 *
 * Programs that specs start are bundled into the folder TEST_PROGRAMS, except for runs with other versions of packages.
 */
export default async function setup() {
  const bundled = process.env.MILLRACE_INSTEAD ? undefined : bundlePrograms();
  const { findRedis, installPostgres } = await import('@millrace/testing');
  const say = (sentence) => console.error(sentence);
  await installPostgres({ say }).catch((error) => {
    if (process.env.CI) throw error;
    console.error(`\nTHE SPECS THAT NEED POSTGRESQL ARE LEFT OUT. ${error.message}`);
    process.env.TEST_POSTGRES = 'none';
  });
  if (bundled) process.env.TEST_PROGRAMS = await bundled;
  if (process.env.TEST_REDIS_URL) return;
  const redis = await findRedis({ say });
  console.error(`\nTests use ${redis.product} ${redis.version}: ${redis.source}`);
  process.env.TEST_REDIS_URL = redis.url;
  globalThis.millraceTestRedis = redis;
}
