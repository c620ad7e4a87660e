/**
 * A process for tests that kill it: moves the events of `work` to files, segment by segment. Its one argument is JSON: url,
 * namespace, partitions, settings.folder. What it says: `ready`; `put <key>` and `kept <key>` before and behind the writing of a
 * segment, `get <key>` and `got <key>` before and behind its reading.
 */
import { writeSync } from 'node:fs';
import { Broker, FeedArchive, FileArchiveStore, RedisPartitionStore, Retention } from '@millrace/broker';

const { url, namespace, partitions, settings } = JSON.parse(process.argv[2]);
const say = (line) => writeSync(1, `${line}\n`);

const files = new FileArchiveStore(settings.folder);
const around = async (before, behind, key, work) => {
  say(`${before} ${key}`);
  const result = await work();
  say(`${behind} ${key}`);
  return result;
};
const archive = new FeedArchive(
  {
    put: (key, bytes) => around('put', 'kept', key, () => files.put(key, bytes)),
    get: (key) => around('get', 'got', key, () => files.get(key)),
    list: (prefix) => files.list(prefix),
  },
  { segment: 20 },
);

const store = await RedisPartitionStore.connect({ url, namespace });
const broker = new Broker(store, { context: 'work', partitions });
const quiet = { log() {}, warn() {}, error() {}, debug() {} };
new Retention(broker, { feed: { maxLength: 5, archive }, everyMs: 1 }, `archiver-${process.pid}`, quiet).start();
say('ready');
