import type { Op } from './commit-op.js';

/** Takes a row out of all indexes. What it stood under is remembered, so that it is found however rows were indexed then. */
const UNLIST = (members: string, byRow: string, id: string): string => `
    local old = call('HGET', ${byRow}, ${id})
    if old then
      for _, member in ipairs(cmsgpack.unpack(old)) do call('ZREM', ${members}, member) end
    end`;

/** Position of the last event of a feed, and a checkpoint, which was never put when it has no value. */
const END = (state: string, feed: string): string => `
    local top = call('XREVRANGE', ${feed}, '+', '-', 'COUNT', 1)[1]
    local head = top and tonumber(string.sub(top[1], 3)) or 0
    local value = call('HGET', ${state}, 'value')
    local checkpoint = value and cjson.decode(value) or {position = 0}`;

/** The ops of views: rows, what their indexes list, and how far they are. */
export const VIEW_OPS: Readonly<Record<string, Op>> = {
  'row-is': {
    keys: 1,
    args: 2,
    lua: (key, arg) => `
    local row = call('HGET', ${key(1)}, ${arg(1)})
    if row ~= ${arg(2)} then return {0, 'row', row or ''} end`,
  },
  'no-row': {
    keys: 1,
    args: 1,
    lua: (key, arg) => `
    local row = call('HGET', ${key(1)}, ${arg(1)})
    if row then return {0, 'row', row} end`,
  },
  reached: {
    keys: 2,
    args: 0,
    lua: (key) => `${END(key(1), key(2))}
    if checkpoint.position ~= head then return {0, 'reached', checkpoint.position} end`,
  },
  advance: {
    keys: 2,
    args: 1,
    lua: (key, arg) => `${END(key(1), key(2))}
    checkpoint.position, checkpoint.last = head, nil
    if ${arg(1)} ~= '' then checkpoint.last = ${arg(1)} end
    call('HSET', ${key(1)}, 'value', cjson.encode(checkpoint)) call('HINCRBY', ${key(1)}, 'revision', 1)`,
  },
  row: { keys: 1, args: 2, lua: (key, arg) => `call('HSET', ${key(1)}, ${arg(1)}, ${arg(2)})` },
  'delete-row': { keys: 1, args: 1, lua: (key, arg) => `call('HDEL', ${key(1)}, ${arg(1)})` },
  // Most changes of a row leave its indexed values alone, or most of them.
  'list-row': {
    keys: 3,
    args: 'counted',
    lua: (key, arg) => `
    local members = {}
    for i = 1, tonumber(${arg(1)}) do members[i] = A[a + 3 + i] end
    call('HSET', ${key(1)}, ${arg(2)}, ${arg(3)})
    local packed = cmsgpack.pack(members)
    local before = call('HGET', ${key(3)}, ${arg(2)})
    if #members == 0 then packed = false end
    if before ~= packed then
      local new = {}
      for _, member in ipairs(members) do new[member] = true end
      for _, member in ipairs(before and cmsgpack.unpack(before) or {}) do
        if new[member] then new[member] = nil else call('ZREM', ${key(2)}, member) end
      end
      for _, member in ipairs(members) do
        if new[member] then call('ZADD', ${key(2)}, 0, member) end
      end
      if packed then call('HSET', ${key(3)}, ${arg(2)}, packed) else call('HDEL', ${key(3)}, ${arg(2)}) end
    end
    a = a + 3 + #members`,
  },
  'unlist-row': {
    keys: 3,
    args: 1,
    lua: (key, arg) => `${UNLIST(key(2), key(3), arg(1))}
    call('HDEL', ${key(1)}, ${arg(1)}) call('HDEL', ${key(3)}, ${arg(1)})`,
  },
  list: {
    keys: 0,
    args: 'counted',
    shared: { keys: 1, args: 0 },
    lua: (_key, arg, { key }) => `
    local gone, new = tonumber(${arg(1)}), tonumber(${arg(2)})
    if gone > 0 then call('ZREM', ${key(1)}, unpack(A, a + 3, a + 2 + gone)) end
    if new > 0 then call('ZADD', ${key(1)}, unpack(A, a + 3 + gone, a + 2 + gone + new)) end
    a = a + 2 + gone + new`,
  },
  'drop-view': { keys: 3, args: 0, lua: (key) => `call('UNLINK', ${key(1)}, ${key(2)}, ${key(3)})` },
};
