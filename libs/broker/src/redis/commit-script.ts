import { MESSAGE_FIELD } from '@millrace/messages';
import { EACH_COMMIT } from './call-layout.js';
import type { Op, Place } from './commit-op.js';
import { INDEX_OPS, NEWEST_MATCH, PUSH } from './index-ops.js';
import { DEAD_LETTER_OPS, MOVE_LETTER } from './dead-letter-ops.js';
import { Script } from './script.js';
import { VIEW_OPS } from './view-ops.js';

/** What is found when the entry of another slot has been taken before. */
export const TAKEN = 'taken';

/** The script for commits of one shape: takes what {@link callOf} gives it, and answers what {@link outcomesOf} reads. */
export function scriptFor(shape: string): Script {
  const body = shape === '' ? '' : shape.split(',').map(step).join('\n');
  const left = LEFT.filter((name) => body.includes(name));
  const isIn = (ops: RegExp, text: string): string => (ops.test(shape) ? text : '');
  const lines = [
    '#!lua',
    `-- ${shape}`,
    'local K, A, call = KEYS, ARGV, redis.call',
    // Commits of one call have few partitions, whose leases stay as they are meanwhile.
    isIn(/lease/, 'local epochs = {}'),
    isIn(/append|publish-indexed/, PUSH),
    isIn(/tags/, NEWEST_MATCH),
    isIn(/redrive|unpark/, MOVE_LETTER),
    'local function commit(k, a, ck, ca)',
    body.includes('answer') ? 'local answer = {1}' : '',
    isIn(/-indexed/, 'local placed = {}'),
    left.length > 0 ? `local ${left.join(', ')}` : '',
    body,
    body.includes('answer') ? 'return answer' : '',
    'end',
    EACH_COMMIT,
  ];
  return new Script(lines.filter((line) => line !== '').join('\n'));
}

/** What an op may leave to a later one: the log, group and id of the input that it has looked at, and the state and revision. */
const LEFT = ['input_log', 'input_group', 'input_id', 'guarded_state', 'guarded_revision'];

/** One op as a block that leaves `k` and `a` behind its keys and arguments; `op*` repeats it as often as its first argument says. */
function step(token: string): string {
  const repeated = token.endsWith('*');
  const { lua, keys, args, shared } = OPS[repeated ? token.slice(0, -1) : token]!;
  const at =
    (list: string, before: string): Place =>
    (i) =>
      `${list}[${before} + ${i}]`;
  const behind = [
    [keys, 'k'],
    [args, 'a'],
    [shared?.keys ?? 0, 'ck'],
    [shared?.args ?? 0, 'ca'],
  ] as const;
  const steps = behind.flatMap(([count, name]) =>
    count === 0 || count === 'counted' ? [] : `${name} = ${name} + ${count}`,
  );
  const body = `${lua(at('K', 'k'), at('A', 'a'), { key: at('K', 'ck'), arg: at('A', 'ca') }).trim()}
    ${steps.join(' ')}`;
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
const append = (stream: boolean, indexed = false): Pick<Op, 'lua'> => ({
  lua: (key, _arg, { key: shared }) => `
    local events, last, version = tonumber(A[a + 1]), '', 0
    ${indexed ? 'local ids = {}' : stream ? 'local ids = events > 1 and {}' : ''}
    for i = 1, events do
      last = string.sub(call('XADD', ${shared(1)}, '0-*', '${MESSAGE_FIELD}', A[a + 1 + i]), 3)
      ${indexed ? 'ids[i] = last' : stream ? 'if ids then ids[i] = last end' : ''}
    end
    ${stream ? `if events == 1 then version = call('RPUSH', ${key(1)}, last)` : ''}
    ${stream ? `elseif events > 1 then version = push(${key(1)}, ids, 1, events) end` : ''}
    ${indexed ? 'placed[#answer + 1] = ids' : ''}
    if events == 0 then
      local top = call('XREVRANGE', ${shared(1)}, '+', '-', 'COUNT', 1)[1]
      last = top and string.sub(top[1], 3) or 0
      ${stream ? `version = call('LLEN', ${key(1)})` : ''}
    end
    ${stream ? `if version == events and events > 0 then call('HSETNX', ${shared(2)}, 'first-stream-event', last - events + 1) end` : ''}
    a = a + 1 + events
    answer[#answer + 1] = last
    answer[#answer + 1] = version`,
});

const setTimer = (key: Place, arg: Place): string =>
  `call('ZADD', ${key(1)}, ${arg(2)}, ${arg(1)}) call('HSET', ${key(2)}, ${arg(1)}, ${arg(3)})`;

const timerOp = (args: number): Omit<Op, 'lua'> => ({ keys: 0, args, shared: { keys: 3, args: 0 } });

const OPS: Readonly<Record<string, Op>> = {
  ...DEAD_LETTER_OPS,
  ...VIEW_OPS,
  ...INDEX_OPS,
  lease: {
    keys: 0,
    args: 0,
    shared: { keys: 1, args: 1 },
    lua: (_key, _arg, { key, arg }) => `
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
    guarded_state, guarded_revision = ${key(1)}, call('HGET', ${key(1)}, 'revision') or '0'
    if guarded_revision ~= ${arg(1)} then return {0, 'revision', guarded_revision} end`,
  },
  due: {
    keys: 0,
    args: 2,
    shared: { keys: 1, args: 0 },
    lua: (_key, arg, shared) => `
    local due = call('ZSCORE', ${shared.key(1)}, ${arg(1)})
    if tonumber(due or -1) ~= tonumber(${arg(2)}) then
      return {0, 'timer', due and string.format('%.0f', tonumber(due)) or 'unset'}
    end`,
  },
  input: {
    keys: 0,
    args: 1,
    shared: { keys: 1, args: 1 },
    lua: (_key, arg, shared) => `
    if call('XACK', ${shared.key(1)}, ${shared.arg(1)}, ${arg(1)}) == 0 then return {0, 'input', 'acknowledged'} end`,
  },
  pending: {
    keys: 0,
    args: 1,
    shared: { keys: 1, args: 1 },
    lua: (_key, arg, shared) => `
    input_log, input_group, input_id = ${shared.key(1)}, ${shared.arg(1)}, ${arg(1)}
    if #call('XPENDING', input_log, input_group, input_id, input_id, 1) == 0 then return {0, 'input', 'acknowledged'} end`,
  },
  // The one that was looked at.
  acknowledge: {
    keys: 0,
    args: 0,
    lua: () => `
    if call('XACK', input_log, input_group, input_id) == 0 then return {0, 'input', 'acknowledged'} end`,
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
  append: { keys: 1, args: 'counted', shared: { keys: 2, args: 0 }, ...append(true) },
  'append-indexed': { keys: 1, args: 'counted', shared: { keys: 2, args: 0 }, ...append(true, true) },
  'publish-indexed': { keys: 0, args: 'counted', shared: { keys: 1, args: 0 }, ...append(false, true) },
  publish: { keys: 0, args: 'counted', shared: { keys: 1, args: 0 }, ...append(false) },
  put: {
    keys: 1,
    args: 1,
    lua: (key, arg) => `call('HSET', ${key(1)}, 'value', ${arg(1)}) call('HINCRBY', ${key(1)}, 'revision', 1)`,
  },
  // Of the state whose revision has been guarded.
  'put-next': {
    keys: 0,
    args: 1,
    lua: (_key, arg) => `call('HSET', guarded_state, 'revision', guarded_revision + 1, 'value', ${arg(1)})`,
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
    ...timerOp(3),
    lua: (_key, arg, { key }) => `${setTimer(key, arg)} call('HDEL', ${key(3)}, ${arg(1)})`,
  },
  'detailed-timer': {
    ...timerOp(4),
    lua: (_key, arg, { key }) => `${setTimer(key, arg)} call('HSET', ${key(3)}, ${arg(1)}, ${arg(4)})`,
  },
  'cancel-timer': {
    ...timerOp(1),
    lua: (_key, arg, { key }) =>
      `call('ZREM', ${key(1)}, ${arg(1)}) call('HDEL', ${key(2)}, ${arg(1)}) call('HDEL', ${key(3)}, ${arg(1)})`,
  },
  retry: {
    keys: 0,
    args: 2,
    shared: { keys: 1, args: 0 },
    lua: (_key, arg, { key }) => `call('HSET', ${key(1)}, ${arg(1)}, ${arg(2)})`,
  },
  'clear-retry': {
    keys: 0,
    args: 1,
    shared: { keys: 1, args: 0 },
    lua: (_key, arg, { key }) => `call('HDEL', ${key(1)}, ${arg(1)})`,
  },
};
