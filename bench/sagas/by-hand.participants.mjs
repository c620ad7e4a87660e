/** The participants by hand: every command is acknowledged and answered, in calls of fifty. */
import { ready } from '../child.mjs';
import { consume, inCalls, keysOf } from './by-hand.mjs';
import { words } from './order.mjs';

const GROUP = 'participants';

/**
 * KEYS  commands, replies
 * ARGV  group, then per command: its entry, its reply
 */
const ANSWERS = `
local call, refused = redis.call, 0
for a = 2, #ARGV, 2 do
  if call('XACK', KEYS[1], ARGV[1], ARGV[a]) == 0 then refused = refused + 1
  else call('XADD', KEYS[2], '*', 'message', ARGV[a + 1]) end
end
return refused`;

await ready(async ({ url, namespace, delivers }) => {
  const keys = keysOf(namespace);
  const answers = {
    'reserve-stock': words.stockReserved,
    'release-stock': words.nothing,
    'take-payment': words.paymentTaken,
    'refund-payment': words.nothing,
    'book-delivery': delivers ? words.deliveryBooked : words.noDelivery,
    'reject-order': words.nothing,
  };
  const answer = ({ id, type, data }) => ({
    inReplyTo: id,
    saga: data.orderId,
    outcome: type === 'book-delivery' && !delivers ? 'failure' : 'success',
    data: answers[type](data),
  });
  let sha;
  const handle = async (redis, batch) => {
    sha ??= await redis.script('LOAD', ANSWERS);
    await inCalls(redis, sha, batch, {
      keys: [keys.commands, keys.replies],
      args: [GROUP],
      each: ({ entry, message }) => ({ keys: [], args: [entry, JSON.stringify(answer(message))] }),
    });
  };
  return { close: await consume({ url, group: GROUP, streams: [keys.commands], handle }) };
});
