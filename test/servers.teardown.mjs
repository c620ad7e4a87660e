import { rm } from 'node:fs/promises';

export default async function teardown() {
  await globalThis.millraceTestRedis?.stop();
  if (process.env.TEST_PROGRAMS) await rm(process.env.TEST_PROGRAMS, { recursive: true });
}
