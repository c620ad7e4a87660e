/** emmett's event store on PostgreSQL, as its documentation opens it. */
import { ready } from '../child.mjs';
import { KEYS, orderData } from '../messages/payload.mjs';
import { writers } from './writers.mjs';

// Installed beside this file when it is first needed, so it is found by its path.
const { getPostgreSQLEventStore } = await import(
  new URL('emmett/node_modules/@event-driven-io/emmett-postgresql/dist/index.js', import.meta.url)
);

await ready(async (setting) => {
  const store = getPostgreSQLEventStore(setting.url);
  await store.schema.migrate();
  const append = async (stream, expected, first) => {
    const events = Array.from({ length: setting.events }, (_, i) => ({
      type: 'order-placed',
      data: orderData((first + i) % KEYS),
    }));
    const expectedStreamVersion = expected === 0 ? 'STREAM_DOES_NOT_EXIST' : BigInt(expected);
    await store.appendToStream(`customer-${stream}`, events, { expectedStreamVersion });
    return true;
  };
  return { handle: writers(setting, append), close: () => store.close() };
});
