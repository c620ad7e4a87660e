/** The scripts of the second hand-written side. Each takes any number of commits, and refuses each one alone. */
import { createHash } from 'node:crypto';

/**
 * A script for commits whose leases are looked at first, once in a call. What commits share is said once in a call, too.
 *
 * KEYS  sets of shared keys, each with its lease first, then the keys of each commit
 * ARGV  number of sets, group, set of each commit as one text of bytes, epoch of the lease of each set, then the arguments of each commit
 *
 * @param commit Lua that returns by what a commit is refused, if it is; its keys are `K[k + 1]` ..., its arguments `A[a + 1]` ..., the
 *   keys that it shares `K[s + 1]` ...
 * @param shared keys of a set
 * @param keys of a commit
 * @param args of a commit, in Lua
 */
function commitScript(commit, shared, keys, args) {
  return script(`
local K, A, call, byte = KEYS, ARGV, redis.call, string.byte
local sets, group, members = tonumber(A[1]), A[2], A[3]
for i = 1, sets do
  if call('HGET', K[${shared} * (i - 1) + 1], 'epoch') ~= A[i + 3] then return {'lease'} end
end
local function commit(k, a, s)${commit}
end
local refused, k, a = {}, ${shared} * sets, sets + 3
for i = 1, #members do
  local by = commit(k, a, ${shared} * (byte(members, i) - 1))
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
 * Shares: lease, input, listings, feed, timers, timer messages, timer details
 * KEYS  state, inbox of its command
 * ARGV  entry, revision, value, event, command, timer, due, its message, numbers of listings that go and come, those
 *
 * @param events whether it tells of itself
 * @param commands whether it sends a command
 * @param timer `set`, `cancel` or `keep`
 */
function transitionScript(events, commands, timer) {
  const timers = {
    set: `
  call('ZADD', K[s + 5], A[a + 7], A[a + 6])
  call('HSET', K[s + 6], A[a + 6], A[a + 8])
  call('HDEL', K[s + 7], A[a + 6])`,
    cancel: `
  call('ZREM', K[s + 5], A[a + 6])
  call('HDEL', K[s + 6], A[a + 6])
  call('HDEL', K[s + 7], A[a + 6])`,
    keep: '',
  };
  const body = `
  local entry, revision, gone, come = A[a + 1], A[a + 2], tonumber(A[a + 9]), tonumber(A[a + 10])
  if (call('HGET', K[k + 1], 'revision') or '0') ~= revision then return 'revision' end
  ${
    events
      ? `if #call('XPENDING', K[s + 2], group, entry, entry, 1) == 0 then return 'input' end
  call('XADD', K[s + 4], '0-*', 'event', A[a + 4])`
      : ''
  }
  if call('XACK', K[s + 2], group, entry) == 0 then return 'input' end
  call('HSET', K[k + 1], 'revision', revision + 1, 'value', A[a + 3])
  if gone > 0 then call('ZREM', K[s + 3], unpack(A, a + 11, a + 10 + gone)) end
  if come > 0 then call('ZADD', K[s + 3], unpack(A, a + 11 + gone, a + 10 + gone + come)) end
  ${commands ? `call('XADD', K[k + 2], '*', 'event', A[a + 5])` : ''}${timers[timer]}`;
  return commitScript(body, 7, 2, '10 + tonumber(A[a + 9]) + tonumber(A[a + 10])');
}

const transitions = new Map();

export function transition({ event, command, timer }) {
  const shape = `${event !== undefined} ${command !== undefined} ${timer}`;
  let found = transitions.get(shape);
  if (!found) transitions.set(shape, (found = transitionScript(event !== undefined, command !== undefined, timer)));
  return found;
}

const ANSWER = `
  if call('XACK', K[s + 2], group, A[a + 1]) == 0 then return 'input' end
  call('XADD', K[k + 1], '*', 'event', A[a + 2])`;

/**
 * A command is answered.
 *
 * Shares: lease, inbox
 * KEYS  inbox of the reply
 * ARGV  entry, reply
 */
export const answer = commitScript(ANSWER, 2, 1, 2);

/** One that can be undone: refused when it has been. KEYS and the tombstone of its effect. */
export const answerUnlessUndone = commitScript(
  `
  if call('GET', K[k + 2]) then return 'tombstone' end${ANSWER}`,
  2,
  2,
  2,
);

/** One that undoes. KEYS and the tombstone of the effect; ARGV and who undid it, and for how long that is remembered, ms. */
export const answerAndUndo = commitScript(
  `${ANSWER}
  call('SET', K[k + 2], A[a + 3], 'PX', A[a + 4])`,
  2,
  2,
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
