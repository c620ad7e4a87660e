export default async function teardown() {
  await globalThis.millraceTestRedis?.stop();
}
