/**
 * A process for tests that kill it: appends to the streams of `work` as fast as it can, until it ends. What it says:
 * `ready`, `sent <stream> <id>`, and `done <stream> <id> <version>` once an append has been answered.
 */
import { writeSync } from 'node:fs';
import { Broker, RedisPartitionStore } from '@millrace/broker';
import { EventStore } from '@millrace/event-store';
import { Event } from '@millrace/messages';

const { url, namespace, partitions } = JSON.parse(process.argv[2]);
// What `process.stdout` still holds when the pipe is full would die with the process, after its append has been sent.
const say = (line) => writeSync(1, `${line}\n`);

class Stormed {}
Event('work.stormed')(Stormed);

const store = await RedisPartitionStore.connect({ url, namespace });
const events = new EventStore(new Broker(store, { context: 'work', partitions }), [Stormed]);
say('ready');

const storm = async (writer) => {
  for (let n = 0; ; n++) {
    const stream = `storm-${(writer + n) % 5}`;
    const id = `${process.pid}.${writer}.${n}`;
    say(`sent ${stream} ${id}`);
    const { version } = await events.append(stream, [new Stormed()], { ids: [id], tags: ['all'] });
    say(`done ${stream} ${id} ${version}`);
  }
};
await Promise.all(Array.from({ length: 20 }, (_, writer) => storm(writer)));
