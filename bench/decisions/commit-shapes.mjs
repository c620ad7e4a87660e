#!/usr/bin/env node
/**
 * What ADR 0001 is about: one commit (lease, version; append, put, emit) by a script written for that shape, and by a script
 * that interprets any commit. Same keys, same writes, A B A B on one private Redis. Prints what Redis itself spends.
 *
 *   node bench/decisions/commit-shapes.mjs
 */
import { Redis } from 'ioredis';
import { median, spread } from '../figures.mjs';
import { privateRedis } from '../redis.mjs';

const COMMITS = 40_000;
const PIPELINE = 100;
const ROUNDS = 6;

const WRITTEN_FOR_IT = `#!lua
local call = redis.call
if call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return {0, 'lease'} end
if call('LLEN', KEYS[2]) ~= tonumber(ARGV[2]) then return {0, 'version'} end
local position = string.sub(call('XADD', KEYS[3], '0-*', 'event', ARGV[3]), 3)
local version = call('RPUSH', KEYS[2], position)
call('HSET', KEYS[4], 'value', ARGV[4]) call('HINCRBY', KEYS[4], 'revision', 1)
call('XADD', KEYS[5], '*', 'event', ARGV[5])
return {1, position, version}`;

const INTERPRETER = `#!lua
local call = redis.call
local k, a, answer = 0, 0, {1}
local guards = {
  lease = function()
    if call('HGET', KEYS[k + 1], 'epoch') ~= ARGV[a + 1] then return 'lease' end
    k, a = k + 1, a + 1
  end,
  version = function()
    if call('LLEN', KEYS[k + 1]) ~= tonumber(ARGV[a + 1]) then return 'version' end
    k, a = k + 1, a + 1
  end,
  revision = function()
    if (call('HGET', KEYS[k + 1], 'revision') or '0') ~= ARGV[a + 1] then return 'revision' end
    k, a = k + 1, a + 1
  end,
  input = function()
    if call('XACK', KEYS[k + 1], ARGV[a + 1], ARGV[a + 2]) == 0 then return 'input' end
    k, a = k + 1, a + 2
  end,
}
local writes = {
  append = function()
    local events, position, version = tonumber(ARGV[a + 1]), '', 0
    for i = 1, events do
      position = string.sub(call('XADD', KEYS[k + 1], '0-*', 'event', ARGV[a + 1 + i]), 3)
      version = call('RPUSH', KEYS[k + 2], position)
    end
    answer[#answer + 1] = position
    answer[#answer + 1] = version
    k, a = k + 2, a + 1 + events
  end,
  put = function()
    call('HSET', KEYS[k + 1], 'value', ARGV[a + 1]) call('HINCRBY', KEYS[k + 1], 'revision', 1)
    k, a = k + 1, a + 1
  end,
  emit = function()
    call('XADD', KEYS[k + 1], '*', 'event', ARGV[a + 1])
    k, a = k + 1, a + 1
  end,
  timer = function()
    call('ZADD', KEYS[k + 1], ARGV[a + 2], ARGV[a + 1]) call('HSET', KEYS[k + 2], ARGV[a + 1], ARGV[a + 3])
    k, a = k + 2, a + 3
  end,
}
a = a + 1
for _ = 1, tonumber(ARGV[a]) do
  a = a + 1
  local failed = guards[ARGV[a]]()
  if failed then return {0, failed} end
end
a = a + 1
for _ = 1, tonumber(ARGV[a]) do
  a = a + 1
  writes[ARGV[a]]()
end
return answer`;

const text = JSON.stringify({ orderId: 'order-000000000042', note: '.'.repeat(260) });
const SIDES = {
  'written for it': {
    script: WRITTEN_FOR_IT,
    call: (n, stream) => [
      5,
      'lease',
      stream,
      'feed',
      `state-${n % 100}`,
      'in',
      1,
      Math.floor(n / 1000),
      text,
      text,
      text,
    ],
  },
  interpreter: {
    script: INTERPRETER,
    call: (n, stream) => [
      ...[6, 'lease', stream, 'feed', stream, `state-${n % 100}`, 'in'],
      ...[2, 'lease', 1, 'version', Math.floor(n / 1000), 3, 'append', 1, text, 'put', text, 'emit', text],
    ],
  },
};

const server = await privateRedis('none');
const redis = new Redis(server.url);
const rates = { 'written for it': [], interpreter: [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const [side, { script, call }] of Object.entries(SIDES)) {
    await redis.flushall();
    await redis.hset('lease', 'epoch', 1);
    const sha = await redis.script('LOAD', script);
    const before = await server.cpuSeconds();
    for (let n = 0; n < COMMITS; n += PIPELINE) {
      const pipeline = redis.pipeline();
      for (let i = n; i < n + PIPELINE; i++) pipeline.evalsha(sha, ...call(i, `stream-${i % 1000}`));
      const refused = (await pipeline.exec()).find(([error, reply]) => error ?? reply[0] !== 1);
      if (refused) throw new Error(`${side}: ${refused}`);
    }
    rates[side].push(COMMITS / ((await server.cpuSeconds()) - before));
  }
}
for (const [side, found] of Object.entries(rates))
  console.log(`${side.padEnd(16)}${spread(found)} commits per second of Redis`);
const ratios = rates.interpreter.map((rate, i) => rate / rates['written for it'][i]);
console.log(`the interpreter does ${median(ratios).toFixed(2)} of that`);
redis.disconnect();
await server.stop();
