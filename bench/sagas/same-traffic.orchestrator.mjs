/** The orchestrator by hand, with the traffic of Millrace: two groups, one for the orders, one for the replies. */
import { Redis } from 'ioredis';
import { ready } from '../child.mjs';
import { SharedKeys } from './same-traffic.commits.mjs';
import { Instances, stateName } from './same-traffic.instances.mjs';
import { caused, clock } from './same-traffic.events.mjs';
import { ORDERS, partitionOf, partitionsOf, SAGAS, SHOP } from './same-traffic.keys.mjs';
import { consume } from './same-traffic.mjs';
import { begin, take } from './same-traffic.saga.mjs';
import { transition } from './same-traffic.scripts.mjs';

/** A command's id is `<saga>/<id>/<path>/<direction>/<attempt>`. */
const sagaOf = (command) => command.slice(SAGAS.length + 1, command.indexOf('/', SAGAS.length + 1));

await ready(async ({ url, namespace }) => {
  const [orders, sagas, shop] = [ORDERS, SAGAS, SHOP].map((context) => partitionsOf(namespace, context));
  const writer = new Redis(url);
  const instances = new Instances(writer, sagas);
  // A saga is in the partition of its order.
  const sharedKeys = new SharedKeys();

  const commit = ({ partition, stream, entry, event }, commits, { revision, move }, now) => {
    const { stored, instance, gone, come, timer } = move;
    const home = sagas[partitionOf(instance.id)];
    const name = stateName(instance.id);
    const text = (message) => message && caused(`/${SAGAS}`, instance.id, event, now.text, message);
    // In this order: V8 takes a microsecond to add a member to a spread copy.
    const command = move.command && { replyto: `${SAGAS}/${home.index}`, ...move.command };
    const wake = { type: 'saga.wake', data: { saga: SAGAS, id: instance.id } };
    const args = [entry, revision, JSON.stringify(stored), text(move.event) ?? '', text(command) ?? ''];
    args.push(name, stored.timerAt ?? '', timer === 'set' ? text(wake) : '', gone.length, 2 * come.length, ...gone);
    for (const member of come) args.push(0, member);
    const shared = sharedKeys.of(partition.lease(commits.group), stream, [home.listings, home.feed, ...home.timers]);
    commits.add(transition(move), shared, [home.state(name), shop[home.index].inbox], args);
    instances.keep(stored, revision + 1);
  };

  const started = (arrivals, commits) => {
    const now = clock();
    for (const arrival of arrivals) {
      if (arrival.event.type !== 'bench.order-placed') throw new Error(`${arrival.event.type} starts no saga`);
      commit(arrival, commits, { revision: 0, move: begin(arrival.event.data, now.ms) }, now);
    }
  };

  const moved = async (arrivals, commits) => {
    const found = await instances.of(arrivals.map(({ event }) => sagaOf(event.inreplyto)));
    const now = clock();
    for (const [i, arrival] of arrivals.entries()) {
      const { stored, revision } = found[i];
      const move = take(stored, arrival.event, now.ms);
      if (!move) throw new Error(`${arrival.event.inreplyto} is not in hand`);
      commit(arrival, commits, { revision, move }, now);
    }
  };

  const ofOrders = { group: `${SAGAS}.saga.${SAGAS}`, partitions: orders, log: 'feed', handle: started };
  const ofReplies = { group: SAGAS, partitions: sagas, log: 'inbox', handle: moved };
  const consumers = [];
  for (const consumer of [ofOrders, ofReplies]) consumers.push(await consume({ url, writer, ...consumer }));
  return {
    close: async () => {
      await Promise.all(consumers.map((end) => end()));
      await writer.quit();
    },
  };
});
