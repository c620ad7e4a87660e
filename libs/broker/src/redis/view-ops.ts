import type { Op } from './commit-op.js';

/** Takes a row out of all indexes. What it stood under is remembered, so that it is found however rows were indexed then. */
const UNLIST = (members: string, byRow: string, id: string): string => `
    local old = call('HGET', ${byRow}, ${id})
    if old then
      for _, member in ipairs(cmsgpack.unpack(old)) do call('ZREM', ${members}, member) end
    end`;

/** The ops of views: rows, and what their indexes list. */
export const VIEW_OPS: Readonly<Record<string, Op>> = {
  row: { keys: 1, args: 2, lua: (key, arg) => `call('HSET', ${key(1)}, ${arg(1)}, ${arg(2)})` },
  'delete-row': { keys: 1, args: 1, lua: (key, arg) => `call('HDEL', ${key(1)}, ${arg(1)})` },
  // Most changes of a row leave its indexed values alone.
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
      ${UNLIST(key(2), key(3), arg(2))}
      for _, member in ipairs(members) do call('ZADD', ${key(2)}, 0, member) end
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
  'drop-view': { keys: 3, args: 0, lua: (key) => `call('UNLINK', ${key(1)}, ${key(2)}, ${key(3)})` },
};
