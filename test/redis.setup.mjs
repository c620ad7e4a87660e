/**
 * One Redis for all tests, found as the demo finds it. Tests use `process.env.TEST_REDIS_URL` and a namespace of their own.
 * A server named by TEST_REDIS_URL beforehand is used as it is.
 */
export default async function setup() {
  if (process.env.TEST_REDIS_URL) return;
  const { findRedis } = await import('@millrace/testing');
  const redis = await findRedis({ say: (sentence) => console.error(sentence) });
  console.error(`\nTests use ${redis.product} ${redis.version}: ${redis.source}`);
  process.env.TEST_REDIS_URL = redis.url;
  globalThis.millraceTestRedis = redis;
}
