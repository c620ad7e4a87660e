/** Entries that may be looked at to count those behind a position. */
const LOOK = 2_000;

/**
 * Lua `behind(key, feed, delivered, reported)`: entries of a log after an id, and 1 when that is exact.
 *
 * XINFO's own lag is null after XDEL, and until Redis 8.0 wrong after some trims. Positions of a feed have no gaps, so
 * there it is a difference. Elsewhere the shorter side is counted: where acknowledged entries are trimmed, few stand before.
 */
export const BEHIND = `
local function behind(key, feed, delivered, reported)
  if feed then
    local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
    if not last then return 0, 1 end
    local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
    local from = math.max(tonumber(string.match(delivered, '%-(%d+)') or 0), tonumber(string.sub(first[1], 3)) - 1)
    return math.max(0, tonumber(string.sub(last[1], 3)) - from), 1
  end
  local before = #redis.call('XRANGE', key, '-', delivered, 'COUNT', ${LOOK})
  if before < ${LOOK} then return redis.call('XLEN', key) - before, 1 end
  local after = #redis.call('XRANGE', key, '(' .. delivered, '+', 'COUNT', ${LOOK})
  if after < ${LOOK} then return after, 1 end
  return math.max(tonumber(reported) or 0, after), 0
end`;
