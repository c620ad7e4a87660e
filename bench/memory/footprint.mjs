import { encode, envelope } from '@millrace/messages';
import { Broker, Publisher, RedisPartitionStore } from '@millrace/broker';
import { orderPlaced } from '../messages/contract.mjs';
import { KEYS, orderData } from '../messages/payload.mjs';

const COUNT = 20_000;
const GROUPS = 5_000;
const WINDOW = 500;
const partition = { context: 'bench', index: 0 };

/** Bytes that one more of each thing takes in Redis: the growth of `used_memory` over many of them. */
export async function weigh(redis) {
  const store = await RedisPartitionStore.connect({ url: redis.url });
  const broker = new Broker(store, { context: 'bench', partitions: 1, validate: false });
  const publisher = new Publisher(broker);
  await broker.declare();
  const message = (n) => encode(envelope({ source: '/bench', type: 'bench.order-placed', data: orderData(n) }));
  const commit = (writes) => store.commit({ partition, guards: [], writes });
  const reader = store.openReader();
  const weights = [];
  const measure = async (name, count, act) => {
    const before = await redis.usedBytes();
    await act();
    weights.push({ name, bytes: ((await redis.usedBytes()) - before) / count });
  };
  const many = async (act) => {
    for (let i = 0; i < COUNT; i += WINDOW) {
      await Promise.all(Array.from({ length: WINDOW }, (_, n) => act(i + n)));
    }
  };
  // Scripts, connections and empty keys are there before anything is weighed.
  await publisher.publish(orderPlaced(orderData(0)), { id: 'first' });
  await commit([{ kind: 'timer', id: 'first', due: Date.now() + 1e9, message: message(0) }]);
  await reader.readGroup('first', [{ partition, log: 'feed' }], 1, 0);

  await measure('message of 300 bytes in a feed, as a CloudEvents document', COUNT, () =>
    many((n) => publisher.publish(orderPlaced(orderData(n % KEYS)))),
  );
  await measure('message of 300 bytes in an inbox, as a CloudEvents document', COUNT, () =>
    many((n) => commit([{ kind: 'emit', to: partition, message: message(n % KEYS) }])),
  );
  for (const log of ['feed', 'in']) {
    await store.createGroup({ partition, log }, 'pending');
    await measure(`pending entry of ${log === 'feed' ? 'a feed' : 'an inbox'}, per group`, COUNT, async () => {
      for (let read = 0; read < COUNT;) {
        read += (await reader.readGroup('pending', [{ partition, log }], 1000, 0)).length;
      }
    });
  }
  await measure('timer with a message of 300 bytes', COUNT, () =>
    many((n) => commit([{ kind: 'timer', id: `timer-${n}`, due: Date.now() + 1e9, message: message(n % KEYS) }])),
  );
  await measure('remembered id of an idempotent publication, without its message', COUNT, () =>
    many((n) =>
      store.commit({
        partition,
        guards: [{ kind: 'command', id: `${'x'.repeat(28)}-${n}`, result: '1', ttlMs: 1e9 }],
        writes: [],
      }),
    ),
  );
  await measure('consumer group of one log', GROUPS, async () => {
    for (let i = 0; i < GROUPS; i += WINDOW) {
      const names = Array.from({ length: WINDOW }, (_, n) => `group-${i + n}`);
      await Promise.all(names.map((name) => store.createGroup({ partition, log: 'feed' }, name)));
    }
  });
  await reader.close();
  await store.close();
  return weights;
}
