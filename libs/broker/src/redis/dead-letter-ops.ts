import { ORIGIN_NAMES, PARKED } from '../core/origin.js';
import type { Op, Place } from './commit-op.js';
import { DEAD_LETTER_NAMES } from './dead-letter-fields.js';

const letterFields = (arg: Place): string => DEAD_LETTER_NAMES.map((name, i) => `'${name}', ${arg(i + 1)}`).join(', ');

/** Moves a dead letter into an own log, with `fields` or its own. False when it is not there. */
export const MOVE_LETTER = `local function move(dead, id, own, parked, fields)
  local entry = call('XRANGE', dead, id, id)[1]
  if not entry then return false end
  local letter = {}
  for i = 1, #entry[2], 2 do letter[entry[2][i]] = entry[2][i + 1] end
  local waited = letter.reason == '${PARKED}'
  local origin = {
    letter.log .. '/' .. letter.entry,
    string.format('%d', (tonumber(letter.redriven) or 0) + (waited and 0 or 1)),
    waited and '' or letter.first,
    parked,
  }
  if not fields then fields = letter.raw and cmsgpack.unpack(letter.raw) or cjson.decode(letter.fields) end
  call('XADD', own, '*', ${ORIGIN_NAMES.map((name, i) => `'${name}', origin[${i + 1}]`).join(', ')}, unpack(fields))
  call('XDEL', dead, id)
  return true
end
`;

/** The ops of dead letters, and of keys that they hold back. */
export const DEAD_LETTER_OPS: Readonly<Record<string, Op>> = {
  'dead-letter-there': {
    keys: 1,
    args: 1,
    lua: (key, arg) => `
    if #call('XRANGE', ${key(1)}, ${arg(1)}, ${arg(1)}) == 0 then return {0, 'dead-letter', 'gone'} end`,
  },
  parked: {
    keys: 1,
    args: 1,
    lua: (key, arg) => `
    local holder = call('HGET', ${key(1)}, ${arg(1)})
    if not holder then return {0, 'parked', ''} end`,
  },
  'parked-behind': {
    keys: 1,
    args: 2,
    lua: (key, arg) => `
    local holder = call('HGET', ${key(1)}, ${arg(1)}) or ''
    if holder ~= ${arg(2)} then return {0, 'parked', holder} end`,
  },
  'dead-letter': {
    keys: 1,
    args: DEAD_LETTER_NAMES.length,
    lua: (key, arg) => `answer.letter = call('XADD', ${key(1)}, '*', ${letterFields(arg)})`,
  },
  'dead-letter-copy': {
    keys: 2,
    args: DEAD_LETTER_NAMES.length + 2,
    lua: (key, arg) => `
    local entry = call('XRANGE', ${key(2)}, ${arg(DEAD_LETTER_NAMES.length + 1)}, ${arg(DEAD_LETTER_NAMES.length + 1)})[1]
    local bytes = {}
    for i = tonumber(${arg(DEAD_LETTER_NAMES.length + 2)}) + 1, entry and #entry[2] or 0 do bytes[#bytes + 1] = entry[2][i] end
    if entry then
      answer.letter = call('XADD', ${key(1)}, '*', ${letterFields(arg)}, 'raw', cmsgpack.pack(bytes))
    else
      answer.letter = call('XADD', ${key(1)}, '*', ${letterFields(arg)})
    end`,
  },
  // What an op before has left of the dead letter that it wrote: its id.
  park: { keys: 1, args: 1, lua: (key, arg) => `call('HSET', ${key(1)}, ${arg(1)}, answer.letter)` },
  'wait-behind': { keys: 1, args: 0, lua: (key) => `call('RPUSH', ${key(1)}, answer.letter)` },
  redrive: {
    keys: 3,
    args: 'counted',
    lua: (key) => `
    local count, fields = tonumber(A[a + 1]), nil
    if count > 0 then
      fields = {}
      for i = 1, count do fields[i] = A[a + 3 + i] end
    end
    local parked = A[a + 3]
    if move(${key(1)}, A[a + 2], ${key(2)}, parked, fields) and parked ~= '' then
      call('HSET', ${key(3)}, parked, 'redriven')
    end
    a = a + 3 + count`,
  },
  discard: { keys: 1, args: 1, lua: (key, arg) => `call('XDEL', ${key(1)}, ${arg(1)})` },
  unpark: {
    keys: 4,
    args: 1,
    lua: (key, arg) => `
    local id = call('LPOP', ${key(4)})
    while id and not move(${key(1)}, id, ${key(2)}, ${arg(1)}) do id = call('LPOP', ${key(4)}) end
    if id then call('HSET', ${key(3)}, ${arg(1)}, 'redriven')
    else call('HDEL', ${key(3)}, ${arg(1)}) end`,
  },
};
