import { MESSAGE_FIELD } from '@millrace/messages';
import type { Op } from './commit-op.js';

/** Some of the positions to the end of a list; answers its length. Redis takes some thousand arguments from Lua, not more. */
export const PUSH = `local function push(list, positions, first, last)
  if last - first < 1000 then return call('RPUSH', list, unpack(positions, first, last)) end
  local length
  for from = first, last, 1000 do
    length = call('RPUSH', list, unpack(positions, from, math.min(from + 999, last)))
  end
  return length
end
`;

/**
 * Position of the newest event after a position that has all tags, and any of the types if there are some; 0 without one.
 * Costs as many steps as there are such events of the tags; one tag alone costs one.
 */
export const NEWEST_MATCH = `local function later(list, after)
  local positions, present, top = {}, {}, -1
  while true do
    local page = call('LRANGE', list, top - 99, top)
    for i = #page, 1, -1 do
      local position = tonumber(page[i])
      if position <= after then return positions, present end
      positions[#positions + 1], present[position] = position, true
    end
    if #page < 100 then return positions, present end
    top = top - 100
  end
end
-- What cannot be read may be of any type.
local function isOfType(feed, position, a, types)
  local id = string.format('0-%.0f', position)
  local entry = call('XRANGE', feed, id, id)[1]
  local field, text = entry and entry[2][1], entry and entry[2][2]
  if field ~= '${MESSAGE_FIELD}' then return true end
  local read, event = pcall(cjson.decode, text)
  if not read or type(event) ~= 'table' or type(event.type) ~= 'string' then return true end
  for i = 1, types do if A[a + i] == event.type then return true end end
  return false
end
local function newestMatch(feed, k, tags, a, types, after)
  if tags == 1 and types == 0 then
    local last = tonumber(call('LINDEX', K[k + 1], -1) or 0)
    return last > after and last or 0
  end
  local others = {}
  for i = 2, tags do
    local _, present = later(K[k + i], after)
    others[#others + 1] = present
  end
  for _, position in ipairs((later(K[k + 1], after))) do
    local all = true
    for _, present in ipairs(others) do all = all and present[position] end
    if all and (types == 0 or isOfType(feed, position, a, types)) then return position end
  end
  return 0
end
`;

/** Guards and writes about the lists of positions by tag and by category. */
export const INDEX_OPS: Readonly<Record<string, Op>> = {
  // KEYS feed, tags of all queries; ARGV after, queries, then of each: tags, types, its types
  tags: {
    keys: 'counted',
    args: 'counted',
    lua: (key) => `
    local feed, newest, after, queries = ${key(1)}, 0, tonumber(A[a + 1]), tonumber(A[a + 2])
    k, a = k + 1, a + 2
    for _ = 1, queries do
      local tags, types = tonumber(A[a + 1]), tonumber(A[a + 2])
      newest = math.max(newest, newestMatch(feed, k, tags, a + 2, types, after))
      k, a = k + tags, a + 2 + types
    end
    if newest == 0 and after > 0 then
      local top = call('XREVRANGE', feed, '+', '-', 'COUNT', 1)[1]
      local head = top and tonumber(string.sub(top[1], 3)) or 0
      if head < after then return {0, 'tags', head} end
    end
    if newest > 0 then return {0, 'tags', newest} end`,
  },
  // ARGV runs of events, then of each: its append (where the answer has its last position), its first event and its last
  index: {
    keys: 1,
    args: 'counted',
    lua: (key) => `
    local runs = tonumber(A[a + 1])
    if runs == 1 then push(${key(1)}, placed[tonumber(A[a + 2])], tonumber(A[a + 3]), tonumber(A[a + 4]))
    else
      local positions = {}
      for i = a + 2, a + 3 * runs, 3 do
        local ids = placed[tonumber(A[i])]
        for event = tonumber(A[i + 1]), tonumber(A[i + 2]) do positions[#positions + 1] = ids[event] end
      end
      push(${key(1)}, positions, 1, #positions)
    end
    a = a + 1 + 3 * runs`,
  },
  // ARGV its append, as above, and its first event that must stay
  keep: {
    keys: 1,
    args: 2,
    lua: (key, arg) =>
      `call('HSETNX', ${key(1)}, 'first-stream-event', placed[tonumber(${arg(1)})][tonumber(${arg(2)})])`,
  },
};
