/** The scripts of the second hand-written side. Each takes any number of commits, and refuses each one alone. */
import { createHash } from 'node:crypto';

/**
 * A script for commits whose leases are looked at first, once in a call.
 *
 * KEYS  leases, then the keys of each commit
 * ARGV  number of leases, group, epoch of each lease, then the arguments of each commit
 *
 * @param commit Lua that returns by what a commit is refused, if it is; its keys are `K[k + 1]` ..., its arguments `A[a + 1]` ...
 * @param keys of a commit
 * @param args of a commit, in Lua
 */
function commitScript(commit, keys, args) {
  return script(`
local K, A, call = KEYS, ARGV, redis.call
local leases, group = tonumber(A[1]), A[2]
for i = 1, leases do
  if call('HGET', K[i], 'epoch') ~= A[i + 2] then return {'lease'} end
end
local function commit(k, a)${commit}
end
local refused, k, a = {}, leases, leases + 2
while a < #A do
  local by = commit(k, a)
  if by then refused[#refused + 1] = by end
  k, a = k + ${keys}, a + ${args}
end
return refused`);
}

function script(body) {
  const text = `#!lua${body}`;
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/**
 * A saga's transition. A feed may refuse an event, so that is written first, and whether the input is still pending is looked at
 * before.
 *
 * KEYS  state, input, listings, feed, inbox of its command, timers, timer messages, timer details
 * ARGV  entry, revision, value, event, command, timer, due, its message, numbers of listings that go and come, those
 *
 * @param events whether it tells of itself
 * @param commands whether it sends a command
 * @param timer `set`, `cancel` or `keep`
 */
function transitionScript(events, commands, timer) {
  const timers = {
    set: `
  call('ZADD', K[k + 6], A[a + 7], A[a + 6])
  call('HSET', K[k + 7], A[a + 6], A[a + 8])
  call('HDEL', K[k + 8], A[a + 6])`,
    cancel: `
  call('ZREM', K[k + 6], A[a + 6])
  call('HDEL', K[k + 7], A[a + 6])
  call('HDEL', K[k + 8], A[a + 6])`,
    keep: '',
  };
  const body = `
  local entry, revision, gone, come = A[a + 1], A[a + 2], tonumber(A[a + 9]), tonumber(A[a + 10])
  if (call('HGET', K[k + 1], 'revision') or '0') ~= revision then return 'revision' end
  ${
    events
      ? `if #call('XPENDING', K[k + 2], group, entry, entry, 1) == 0 then return 'input' end
  call('XADD', K[k + 4], '0-*', 'event', A[a + 4])`
      : ''
  }
  if call('XACK', K[k + 2], group, entry) == 0 then return 'input' end
  call('HSET', K[k + 1], 'revision', revision + 1, 'value', A[a + 3])
  if gone > 0 then call('ZREM', K[k + 3], unpack(A, a + 11, a + 10 + gone)) end
  if come > 0 then call('ZADD', K[k + 3], unpack(A, a + 11 + gone, a + 10 + gone + come)) end
  ${commands ? `call('XADD', K[k + 5], '*', 'event', A[a + 5])` : ''}${timers[timer]}`;
  return commitScript(body, 8, '10 + tonumber(A[a + 9]) + tonumber(A[a + 10])');
}

const transitions = new Map();

export function transition({ event, command, timer }) {
  const shape = `${event !== undefined} ${command !== undefined} ${timer}`;
  let found = transitions.get(shape);
  if (!found) transitions.set(shape, (found = transitionScript(event !== undefined, command !== undefined, timer)));
  return found;
}

const ANSWER = `
  if call('XACK', K[k + 1], group, A[a + 1]) == 0 then return 'input' end
  call('XADD', K[k + 2], '*', 'event', A[a + 2])`;

/**
 * A command is answered.
 *
 * KEYS  inbox, inbox of the reply
 * ARGV  entry, reply
 */
export const answer = commitScript(ANSWER, 2, 2);

/** One that can be undone: refused when it has been. KEYS and the tombstone of its effect. */
export const answerUnlessUndone = commitScript(
  `
  if call('GET', K[k + 3]) then return 'tombstone' end${ANSWER}`,
  3,
  2,
);

/** One that undoes. KEYS and the tombstone of the effect; ARGV and who undid it, and for how long that is remembered, ms. */
export const answerAndUndo = commitScript(
  `${ANSWER}
  call('SET', K[k + 3], A[a + 3], 'PX', A[a + 4])`,
  3,
  4,
);

/**
 * Events into feeds.
 *
 * KEYS  feeds
 * ARGV  of each: number of its events, those
 */
export const publish = script(`
local a = 0
for _, feed in ipairs(KEYS) do
  local count = tonumber(ARGV[a + 1])
  for i = a + 2, a + 1 + count do redis.call('XADD', feed, '0-*', 'event', ARGV[i]) end
  a = a + 1 + count
end
return a`);
