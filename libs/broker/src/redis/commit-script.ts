import { MESSAGE_FIELD } from '@millrace/messages';
import type { Op, Place } from './commit-op.js';
import { INDEX_OPS, NEWEST_MATCH, PUSH } from './index-ops.js';
import { DEAD_LETTER_OPS, MOVE_LETTER } from './dead-letter-ops.js';
import { Script } from './script.js';
import { VIEW_OPS } from './view-ops.js';

/** What is found when the entry of another slot has been taken before. */
export const TAKEN = 'taken';

/**
 * The script for commits of one shape.
 *
 * KEYS  the keys of every commit, one after the other
 * ARGV  per commit: number of its keys, number of its arguments, its arguments
 * Returns per commit: {1, position, version per append ...} committed; {0, guard, found} refused; {2, error}
 */
export function scriptFor(shape: string): Script {
  const body = shape === '' ? '' : shape.split(',').map(step).join('\n');
  return new Script(`#!lua
-- ${shape}
local K, A, call = KEYS, ARGV, redis.call
${/lease/.test(shape) ? LEASES : ''}${/append|publish-indexed/.test(shape) ? PUSH : ''}${/tags/.test(shape) ? NEWEST_MATCH : ''}${/redrive|unpark/.test(shape) ? MOVE_LETTER : ''}local function commit(k, a)
  local answer${/-indexed/.test(shape) ? ', placed = {1}, {}' : ' = {1}'}${body}
  return answer
end
local results, k, a = {}, 0, 0
while a < #A do
  local keys, args = tonumber(A[a + 1]), tonumber(A[a + 2])
  local done, result = pcall(commit, k, a + 2)
  if done then results[#results + 1] = result
  else results[#results + 1] = {2, type(result) == 'table' and result.err or tostring(result)} end
  k, a = k + keys, a + 2 + args
end
return results`);
}

/** Commits of one call have few partitions, whose leases stay as they are meanwhile. */
const LEASES = `local epochs = {}
`;

/** One op as a block that leaves `k` and `a` behind its keys and arguments; `op*` repeats it as often as its first argument says. */
function step(token: string): string {
  const repeated = token.endsWith('*');
  const op = OPS[repeated ? token.slice(0, -1) : token]!;
  const body = `${op
    .lua(
      (i) => `K[k + ${i}]`,
      (i) => `A[a + ${i}]`,
    )
    .trim()}
    ${op.keys === 'counted' ? '' : `k = k + ${op.keys}`} ${op.args === 'counted' ? '' : `a = a + ${op.args}`}`;
  return repeated
    ? `
  do
    local times = tonumber(A[a + 1])
    a = a + 1
    for _ = 1, times do
    ${body}
    end
  end`
    : `
  do
    ${body}
  end`;
}

/**
 * An indexed one leaves its positions in `placed`, under the place that its last one has in the answer. One event, the usual
 * case, needs no list of them otherwise.
 */
const append = (key: Place, stream: boolean, indexed = false): string => `
    local events, last, version = tonumber(A[a + 1]), '', 0
    ${indexed ? 'local ids = {}' : stream ? 'local ids = events > 1 and {}' : ''}
    for i = 1, events do
      last = string.sub(call('XADD', ${key(1)}, '0-*', '${MESSAGE_FIELD}', A[a + 1 + i]), 3)
      ${indexed ? 'ids[i] = last' : stream ? 'if ids then ids[i] = last end' : ''}
    end
    ${stream ? `if events == 1 then version = call('RPUSH', ${key(2)}, last)` : ''}
    ${stream ? `elseif events > 1 then version = push(${key(2)}, ids, 1, events) end` : ''}
    ${indexed ? 'placed[#answer + 1] = ids' : ''}
    if events == 0 then
      local top = call('XREVRANGE', ${key(1)}, '+', '-', 'COUNT', 1)[1]
      last = top and string.sub(top[1], 3) or 0
      ${stream ? `version = call('LLEN', ${key(2)})` : ''}
    end
    ${stream ? `if version == events and events > 0 then call('HSETNX', ${key(3)}, 'first-stream-event', last - events + 1) end` : ''}
    a = a + 1 + events
    answer[#answer + 1] = last
    answer[#answer + 1] = version`;

const setTimer = (key: Place, arg: Place): string =>
  `call('ZADD', ${key(1)}, ${arg(2)}, ${arg(1)}) call('HSET', ${key(2)}, ${arg(1)}, ${arg(3)})`;

const OPS: Readonly<Record<string, Op>> = {
  ...DEAD_LETTER_OPS,
  ...VIEW_OPS,
  ...INDEX_OPS,
  lease: {
    keys: 1,
    args: 1,
    lua: (key, arg) => `
    local epoch = epochs[${key(1)}]
    if epoch == nil then
      epoch = call('HGET', ${key(1)}, 'epoch')
      epochs[${key(1)}] = epoch
    end
    if epoch ~= ${arg(1)} then return {0, 'lease', epoch or '0'} end`,
  },
  command: {
    keys: 1,
    args: 0,
    lua: (key) => `
    local result = call('GET', ${key(1)})
    if result then return {0, 'command', result} end`,
  },
  standing: {
    keys: 1,
    args: 0,
    lua: (key) => `
    local by = call('GET', ${key(1)})
    if by then return {0, 'tombstone', by} end`,
  },
  version: {
    keys: 1,
    args: 1,
    lua: (key, arg) => `
    local version = call('LLEN', ${key(1)})
    if version ~= tonumber(${arg(1)}) then return {0, 'version', version} end`,
  },
  exists: { keys: 1, args: 0, lua: (key) => `if call('LLEN', ${key(1)}) == 0 then return {0, 'version', 0} end` },
  revision: {
    keys: 1,
    args: 1,
    lua: (key, arg) => `
    local revision = call('HGET', ${key(1)}, 'revision') or '0'
    if revision ~= ${arg(1)} then return {0, 'revision', revision} end`,
  },
  due: {
    keys: 1,
    args: 2,
    lua: (key, arg) => `
    local due = call('ZSCORE', ${key(1)}, ${arg(1)})
    if tonumber(due or -1) ~= tonumber(${arg(2)}) then
      return {0, 'timer', due and string.format('%.0f', tonumber(due)) or 'unset'}
    end`,
  },
  input: {
    keys: 1,
    args: 2,
    lua: (key, arg) => `
    if call('XACK', ${key(1)}, ${arg(1)}, ${arg(2)}) == 0 then return {0, 'input', 'acknowledged'} end`,
  },
  pending: {
    keys: 1,
    args: 2,
    lua: (key, arg) => `
    if #call('XPENDING', ${key(1)}, ${arg(1)}, ${arg(2)}, ${arg(2)}, 1) == 0 then return {0, 'input', 'acknowledged'} end`,
  },
  // Of a partition in another slot: its lease cannot be looked at here, but whether a later epoch has been here before.
  fence: {
    keys: 1,
    args: 1,
    lua: (key, arg) => `
    local fence = call('HGET', ${key(1)}, 'epoch')
    if fence and tonumber(fence) > tonumber(${arg(1)}) then return {0, 'lease', fence} end`,
  },
  untaken: {
    keys: 1,
    args: 1,
    lua: (key, arg) => `
    if call('HEXISTS', ${key(1)}, ${arg(1)}) == 1 then return {0, 'input', '${TAKEN}'} end`,
  },
  raise: { keys: 1, args: 1, lua: (key, arg) => `call('HSET', ${key(1)}, 'epoch', ${arg(1)})` },
  take: { keys: 1, args: 1, lua: (key, arg) => `call('HSET', ${key(1)}, ${arg(1)}, '')` },
  remember: { keys: 1, args: 2, lua: (key, arg) => `call('SET', ${key(1)}, ${arg(1)}, 'PX', ${arg(2)})` },
  tombstone: { keys: 1, args: 2, lua: (key, arg) => `call('SET', ${key(1)}, ${arg(1)}, 'PX', ${arg(2)})` },
  'remember-appended': {
    keys: 1,
    args: 2,
    lua: (key, arg) => `
    local places = #answer > 1 and ' ' .. table.concat(answer, ' ', 2) or ''
    call('SET', ${key(1)}, ${arg(1)} .. places, 'PX', ${arg(2)})`,
  },
  append: { keys: 3, args: 'counted', lua: (key) => append(key, true) },
  'append-indexed': { keys: 3, args: 'counted', lua: (key) => append(key, true, true) },
  'publish-indexed': { keys: 1, args: 'counted', lua: (key) => append(key, false, true) },
  publish: { keys: 1, args: 'counted', lua: (key) => append(key, false) },
  put: {
    keys: 1,
    args: 1,
    lua: (key, arg) => `call('HSET', ${key(1)}, 'value', ${arg(1)}) call('HINCRBY', ${key(1)}, 'revision', 1)`,
  },
  // Of a state whose revision has been guarded.
  'put-as': {
    keys: 1,
    args: 2,
    lua: (key, arg) => `call('HSET', ${key(1)}, 'revision', ${arg(1)}, 'value', ${arg(2)})`,
  },
  'put-for': {
    keys: 1,
    args: 2,
    lua: (key, arg) => `
    call('HSET', ${key(1)}, 'value', ${arg(1)}) call('HINCRBY', ${key(1)}, 'revision', 1)
    if ${arg(2)} == '0' then call('PERSIST', ${key(1)}) else call('PEXPIRE', ${key(1)}, ${arg(2)}) end`,
  },
  delete: { keys: 1, args: 0, lua: (key) => `call('DEL', ${key(1)})` },
  emit: { keys: 1, args: 1, lua: (key, arg) => `call('XADD', ${key(1)}, '*', '${MESSAGE_FIELD}', ${arg(1)})` },
  // Without its stream a process is gone: what nobody will read is not written.
  reply: {
    keys: 1,
    args: 1,
    lua: (key, arg) => `call('XADD', ${key(1)}, 'NOMKSTREAM', '*', '${MESSAGE_FIELD}', ${arg(1)})`,
  },
  'emit-event': {
    keys: 1,
    args: 1,
    lua: (key, arg) => `call('XADD', ${key(1)}, '0-*', '${MESSAGE_FIELD}', ${arg(1)})`,
  },
  out: {
    keys: 1,
    args: 2,
    lua: (key, arg) => `call('XADD', ${key(1)}, '*', 'to', ${arg(1)}, '${MESSAGE_FIELD}', ${arg(2)})`,
  },
  'out-to-log': {
    keys: 1,
    args: 3,
    lua: (key, arg) => `call('XADD', ${key(1)}, '*', 'to', ${arg(1)}, 'log', ${arg(2)}, '${MESSAGE_FIELD}', ${arg(3)})`,
  },
  'out-timer': {
    keys: 1,
    args: 5,
    lua: (key, arg) =>
      `call('XADD', ${key(1)}, '*', 'to', ${arg(1)}, 'timer', ${arg(2)}, 'due', ${arg(3)}, '${MESSAGE_FIELD}', ${arg(4)}, 'details', ${arg(5)})`,
  },
  'out-cancel': {
    keys: 1,
    args: 2,
    lua: (key, arg) => `call('XADD', ${key(1)}, '*', 'to', ${arg(1)}, 'cancel', ${arg(2)})`,
  },
  timer: {
    keys: 3,
    args: 3,
    lua: (key, arg) => `${setTimer(key, arg)} call('HDEL', ${key(3)}, ${arg(1)})`,
  },
  'detailed-timer': {
    keys: 3,
    args: 4,
    lua: (key, arg) => `${setTimer(key, arg)} call('HSET', ${key(3)}, ${arg(1)}, ${arg(4)})`,
  },
  'cancel-timer': {
    keys: 3,
    args: 1,
    lua: (key, arg) =>
      `call('ZREM', ${key(1)}, ${arg(1)}) call('HDEL', ${key(2)}, ${arg(1)}) call('HDEL', ${key(3)}, ${arg(1)})`,
  },
  retry: { keys: 1, args: 2, lua: (key, arg) => `call('HSET', ${key(1)}, ${arg(1)}, ${arg(2)})` },
  'clear-retry': { keys: 1, args: 1, lua: (key, arg) => `call('HDEL', ${key(1)}, ${arg(1)})` },
};
