#!/usr/bin/env node
/**
 * What ADR 0033 is about: calls of a script with 16 commits (lease, revision; put, list, timer, emit) of four partitions. Either each
 * commit says all its values, with counts of them as arguments, and answers a list; or what they share is said once, the counts are
 * one text, and the answers one list. Same keys, same writes, A B A B on one private Redis. Then four ways to say the counts, alone.
 * Prints what Redis itself spends.
 *
 *   node bench/decisions/shared-values.mjs
 */
import { Redis } from 'ioredis';
import { median } from '../figures.mjs';
import { privateRedis } from '../redis.mjs';

const IN_A_CALL = 16;
const PARTITIONS = 4;
const CALLS = 2_000;
const PIPELINE = 50;
const ROUNDS = 6;

const writes = (state, list, timers, messages, inbox, value, member, id, due, message) => `
  call('HSET', ${state}, 'revision', 1, 'value', ${value})
  call('ZADD', ${list}, 0, ${member})
  call('ZADD', ${timers}, ${due}, ${id}) call('HSET', ${messages}, ${id}, ${message})
  call('XADD', ${inbox}, '*', 'event', ${message})`;

const EACH_SAYS_ALL = `#!lua
local K, A, call, epochs = KEYS, ARGV, redis.call, {}
local function commit(k, a)
  local epoch = epochs[K[k + 1]]
  if epoch == nil then
    epoch = call('HGET', K[k + 1], 'epoch')
    epochs[K[k + 1]] = epoch
  end
  if epoch ~= A[a + 1] then return {0, 'lease', epoch} end
  if (call('HGET', K[k + 2], 'revision') or '0') ~= A[a + 2] then return {0, 'revision', ''} end
${writes('K[k + 3]', 'K[k + 4]', 'K[k + 5]', 'K[k + 6]', 'K[k + 7]', 'A[a + 3]', 'A[a + 4]', 'A[a + 5]', 'A[a + 6]', 'A[a + 7]')}
  return {1}
end
local results, k, a = {}, 0, 0
while a < #A do
  local keys, args = tonumber(A[a + 1]), tonumber(A[a + 2])
  local done, result = pcall(commit, k, a + 2)
  results[#results + 1] = done and result or {2, tostring(result)}
  k, a = k + keys, a + 2 + args
end
return results`;

const SHARED_ONCE = `#!lua
local K, A, call, byte, epochs = KEYS, ARGV, redis.call, string.byte, {}
local function commit(k, a, ck, ca)
  local epoch = epochs[K[ck + 1]]
  if epoch == nil then
    epoch = call('HGET', K[ck + 1], 'epoch')
    epochs[K[ck + 1]] = epoch
  end
  if epoch ~= A[ca + 1] then return {0, 'lease', epoch} end
  if (call('HGET', K[k + 1], 'revision') or '0') ~= A[a + 1] then return {0, 'revision', ''} end
${writes('K[k + 1]', 'K[ck + 2]', 'K[ck + 3]', 'K[ck + 4]', 'K[k + 2]', 'A[a + 2]', 'A[a + 3]', 'A[a + 4]', 'A[a + 5]', 'A[a + 6]')}
end
local layout, k, a, at, cks, cas = A[1], 0, 1, 2, {}, {}
for set = 1, byte(layout, 1) do
  local keys, args = byte(layout, at, at + 1)
  cks[set], cas[set] = k, a
  k, a, at = k + keys, a + args, at + 2
end
local results, n = {}, 0
while at < #layout do
  local set, keys, args = byte(layout, at, at + 2)
  local done, result = pcall(commit, k, a, cks[set], cas[set])
  n = n + 1
  results[n] = done and not result and 0 or -1
  k, a, at = k + keys, a + args, at + 3
end
return results`;

const text = JSON.stringify({ orderId: 'order-000000000042', note: '.'.repeat(260) });
const tag = (partition) => `{bench:sagas:${partition}}`;
const shared = (partition) =>
  ['lease', 'view-index', 'timers', 'timer-messages'].map((key) => `${tag(partition)}:${key}`);
const state = (n) => `${tag(n % PARTITIONS)}:state:saga.place-order.order-${n}`;
const inbox = (n) => `${tag((n * 7) % PARTITIONS)}:in`;
const own = (n) => [
  0,
  text,
  `step\0place-order ${n}\0place-order/order-${n}`,
  `saga.place-order.order-${n}`,
  1e12 + n,
  text,
];
const numbers = (from) => Array.from({ length: IN_A_CALL }, (_, i) => from + i);

const SIDES = {
  'each says all': {
    script: EACH_SAYS_ALL,
    call: (from) => {
      const commits = numbers(from);
      const keys = commits.flatMap((n) => {
        const [lease, ...others] = shared(n % PARTITIONS);
        return [lease, state(n), state(n), ...others, inbox(n)];
      });
      return [keys.length, ...keys, ...commits.flatMap((n) => [7, 7, 1, ...own(n)])];
    },
    isCommitted: ([status]) => status === 1,
  },
  'shared once': {
    script: SHARED_ONCE,
    call: (from) => {
      const commits = numbers(from);
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
      const keys = [...partitions.flatMap(shared), ...commits.flatMap((n) => [state(n), inbox(n)])];
      const layout = [
        PARTITIONS,
        ...partitions.flatMap(() => [4, 1]),
        ...commits.flatMap((n) => [(n % PARTITIONS) + 1, 2, 6]),
      ];
      return [
        keys.length,
        ...keys,
        String.fromCharCode(...layout),
        ...partitions.map(() => 1),
        ...commits.flatMap(own),
      ];
    },
    isCommitted: (status) => status === 0,
  },
};

const counts = numbers(0).flatMap((n) => [(n % PARTITIONS) + 1, 9, 18]);
const WAYS = {
  arguments: {
    script: `local a, sum = 0, 0
while a < #ARGV do
  sum = sum + tonumber(ARGV[a + 1]) + tonumber(ARGV[a + 2]) + tonumber(ARGV[a + 3])
  a = a + 3
end
return sum`,
    args: counts,
  },
  JSON: {
    script: `local sum = 0
for _, count in ipairs(cjson.decode(ARGV[1])) do sum = sum + count end
return sum`,
    args: [JSON.stringify(counts)],
  },
  'a pattern': {
    script: `local sum = 0
for count in string.gmatch(ARGV[1], '%d+') do sum = sum + count end
return sum`,
    args: [counts.join(' ')],
  },
  digits: {
    script: `local sum = 0
for i = 1, #ARGV[1], 3 do
  local a, b, c = string.byte(ARGV[1], i, i + 2)
  sum = sum + a + b + c
end
return sum`,
    args: [String.fromCharCode(...counts)],
  },
  nothing: { script: 'return 0', args: [] },
};

const server = await privateRedis('none');
const redis = new Redis(server.url);

/** What calls of a script take Redis, µs each. */
async function took(script, argsOf, check) {
  const sha = await redis.script('LOAD', script);
  const before = await server.cpuSeconds();
  for (let n = 0; n < CALLS; n += PIPELINE) {
    const pipeline = redis.pipeline();
    for (let i = n; i < n + PIPELINE; i++) pipeline.evalsha(sha, ...argsOf(i));
    for (const [error, reply] of await pipeline.exec()) check(error, reply);
  }
  return (((await server.cpuSeconds()) - before) * 1e6) / CALLS;
}

const micros = Object.fromEntries([...Object.keys(SIDES), ...Object.keys(WAYS)].map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [side, { script, call, isCommitted }] of Object.entries(SIDES)) {
    await redis.flushall();
    for (let partition = 0; partition < PARTITIONS; partition++)
      await redis.hset(`${tag(partition)}:lease`, 'epoch', 1);
    const took16 = await took(
      script,
      (n) => call(n * IN_A_CALL),
      (error, reply) => {
        if (error ?? !reply.every(isCommitted)) throw new Error(`${side}: ${error ?? JSON.stringify(reply)}`);
      },
    );
    micros[side].push(took16 / IN_A_CALL);
  }
  const sum = counts.reduce((total, count) => total + count, 0);
  for (const [way, { script, args }] of Object.entries(WAYS)) {
    micros[way].push(
      await took(
        script,
        () => [0, ...args],
        (error, reply) => {
          if (error ?? (way !== 'nothing' && reply !== sum)) throw new Error(`${way}: ${error ?? reply}`);
        },
      ),
    );
  }
}
const figure = (found) =>
  `${median(found).toFixed(1)} (${Math.min(...found).toFixed(1)}-${Math.max(...found).toFixed(1)})`;
for (const side of Object.keys(SIDES)) console.log(`${side.padEnd(14)} ${figure(micros[side])} µs of Redis a commit`);
const ratios = micros['shared once'].map((each, i) => each / micros['each says all'][i]);
console.log(`shared once takes ${median(ratios).toFixed(2)} of that`);
for (const way of Object.keys(WAYS)) console.log(`${way.padEnd(14)} ${figure(micros[way])} µs of Redis a call`);
redis.disconnect();
await server.stop();
