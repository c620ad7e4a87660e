/**
 * A process for tests that kill it: appends to the tills of `work` as fast as it can, until it ends, with an inline projection
 * that counts them. What it says: `ready`, and `done <till> <n> <version>` once an append has been answered.
 */
import { writeSync } from 'node:fs';
import { Broker, RedisPartitionStore } from '@millrace/broker';
import { EventStore, Projection, ProjectionRunner, Projects } from '@millrace/event-store';
import { Event } from '@millrace/messages';

const { url, namespace, partitions } = JSON.parse(process.argv[2]);
const say = (line) => writeSync(1, `${line}\n`);

class Paid {
  constructor(till, n) {
    Object.assign(this, { till, n });
  }
}
Event('work.paid', { key: 'till' })(Paid);

class Tills {
  async paid({ till, n }, view) {
    await view.update(till, ({ count, trail } = { count: 0, trail: 7 }) => ({
      count: count + 1,
      trail: (trail * 31 + n) % 1_000_003,
    }));
  }
}
const { prototype } = Tills;
Projects(Paid)(prototype, 'paid', Object.getOwnPropertyDescriptor(prototype, 'paid'));
Projection('tills', { mode: 'inline', indexes: { count: ({ count }) => count } })(Tills);

const store = await RedisPartitionStore.connect({ url, namespace });
const broker = new Broker(store, { context: 'work', partitions });
new ProjectionRunner(broker, Tills, new Tills()).start();
const events = new EventStore(broker, [Paid]);
say('ready');

const storm = async (writer) => {
  for (let i = 0; ; i++) {
    const till = `t${(writer + i) % 7}`;
    const n = process.pid * 10_000 + writer * 1_000 + i;
    const { version } = await events.append({ category: 'till', id: till }, [new Paid(till, n)]);
    say(`done ${till} ${n} ${version}`);
  }
};
await Promise.all(Array.from({ length: 8 }, (_, writer) => storm(writer)));
