/**
 * A client process for tests that kill it: asks the context `work` for replies without end, and says `replied` at the first.
 * Its one argument is JSON: url, namespace, partitions, settings of the requester.
 */
import { Broker, RedisPartitionStore, Requester } from '@millrace/broker';
import { Command, Reply } from '@millrace/messages';

class Added {}
Reply('work.added')(Added);

class Add extends Command {
  a = 0;
  b = 0;
}
Command('work.add')(Add);

const { url, namespace, partitions, settings } = JSON.parse(process.argv[2]);
const store = await RedisPartitionStore.connect({ url, namespace });
const { replyTtlMs } = settings;
const broker = new Broker(store, { context: 'client', partitions: { client: 1, work: partitions } });
const replies = new Requester(broker, { replyTtlMs }).stream(new Add());
await replies.next();
process.stdout.write('replied\n');
while (!(await replies.next()).done);
