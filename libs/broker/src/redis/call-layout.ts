import { youngBlanks } from '../core/young-list.js';
import type { CompiledCommit, SharedValues } from './compiled-commit.js';

/** Digits of a number in a layout, to the base 128: Redis takes no call with more values than those can count. */
const DIGITS = 3;
const BASE = 128;

/**
 * The values of one script call for commits of one shape.
 *
 * KEYS  what some share, set by set; then the own keys of each commit
 * ARGV  the layout; what some share, set by set; then the own arguments of each commit
 *
 * The layout is a text that says how many there are: the number of sets, then of each its keys and arguments, then of each commit
 * its set, its keys and arguments. A set is told by one digit, so there are fewer than 128 commits. As arguments of their own these
 * numbers would cost the server as much as the values themselves.
 *
 * @param script the first value
 */
export function callOf(script: string, commits: readonly CompiledCommit[]): (string | number)[] {
  const sets: SharedValues[] = [];
  const members: number[] = [];
  let [keys, args] = [0, 0];
  for (const commit of commits) {
    const { shared } = commit;
    let set = 0;
    while (set < sets.length && !sets[set]!.equals(shared)) set++;
    if (set === sets.length) {
      sets.push(shared);
      keys += shared.keys.length;
      args += shared.args.length;
    }
    members.push(set);
    keys += commit.keys.length;
    args += commit.args.length;
  }
  let layout = digit(sets.length);
  for (const set of sets) layout += sizeOf(set);
  commits.forEach((commit, i) => (layout += digit(members[i]! + 1) + sizeOf(commit)));
  const values = youngBlanks<string | number>(3 + keys + args);
  values[0] = script;
  values[1] = keys;
  let [key, arg] = [2, 2 + keys];
  values[arg++] = layout;
  const add = (each: Pick<CompiledCommit, 'keys' | 'args'>): void => {
    for (const value of each.keys) values[key++] = value;
    for (const value of each.args) values[arg++] = value;
  };
  for (const set of sets) add(set);
  for (const commit of commits) add(commit);
  return values;
}

/**
 * Lua that goes through the commits of a call by its layout, and answers as {@link outcomesOf} reads it. Before it
 * `commit(k, a, ck, ca)` is defined, for which the first own key of a commit is `K[k + 1]`, the first shared one `K[ck + 1]`, and so
 * on with arguments in `A`. It returns nothing; or {0, guard, found} when it refuses, {1, position, version ...} when it has appended.
 */
export const EACH_COMMIT = `local layout, byte = A[1], string.byte
local function size(at)
  local a, b, c, d, e, f = byte(layout, at, at + ${2 * DIGITS - 1})
  return (a * ${BASE} + b) * ${BASE} + c, (d * ${BASE} + e) * ${BASE} + f
end
local k, a, at, cks, cas = 0, 1, 2, {}, {}
for set = 1, byte(layout, 1) do
  local keys, args = size(at)
  cks[set], cas[set] = k, a
  k, a, at = k + keys, a + args, at + ${2 * DIGITS}
end
local results, n = {}, 0
while at < #layout do
  local set = byte(layout, at)
  local keys, args = size(at + 1)
  local done, result = pcall(commit, k, a, cks[set], cas[set])
  if not done then
    results[n + 1], results[n + 2] = -2, type(result) == 'table' and result.err or tostring(result)
    n = n + 2
  elseif not result then
    n = n + 1
    results[n] = 0
  elseif result[1] == 0 then
    results[n + 1], results[n + 2], results[n + 3] = -1, result[2], result[3]
    n = n + 3
  else
    results[n + 1] = #result - 1
    for i = 2, #result do results[n + i] = result[i] end
    n = n + #result
  end
  k, a, at = k + keys, a + args, at + ${1 + 2 * DIGITS}
end
return results`;

function sizeOf({ keys, args }: Pick<CompiledCommit, 'keys' | 'args'>): string {
  return numeral(keys.length) + numeral(args.length);
}

function numeral(count: number): string {
  return NUMERALS[count] ?? digits(count);
}

function digits(count: number): string {
  return String.fromCharCode(count >> 14, (count >> 7) & 127, count & 127);
}

/** Of all but large numbers. */
const NUMERALS = Array.from({ length: 1024 }, (_, count) => digits(count));

function digit(value: number): string {
  return String.fromCharCode(value);
}
