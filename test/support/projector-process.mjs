/**
 * A service process for tests that kill it: projects `work.counted` into the view `tally`, slowly. Its one argument is
 * JSON: url, namespace, partitions, settings.version. It says `ready`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Broker, RedisPartitionStore } from '@millrace/broker';
import { Projection, ProjectionRunner, Projects } from '@millrace/event-store';
import { Event } from '@millrace/messages';

class Counted {}
Event('work.counted', { key: 'key' })(Counted);

const { url, namespace, partitions, settings } = JSON.parse(process.argv[2]);
const { version } = settings;

class Tally {
  async counted({ key, n }, view) {
    if (n % 4 === 0) await sleep(1);
    await view.update(key, (row = { numbers: [] }) => ({ version, numbers: [...row.numbers, n] }));
  }
}
const { prototype } = Tally;
Projects(Counted)(prototype, 'counted', Object.getOwnPropertyDescriptor(prototype, 'counted'));
Projection('tally', { version, indexes: { length: ({ numbers }) => numbers.length } })(Tally);

const store = await RedisPartitionStore.connect({ url, namespace });
const broker = new Broker(store, { context: 'work', partitions });
new ProjectionRunner(broker, Tally, new Tally()).start();
process.stdout.write('ready\n');
