/**
 * How many of a context's partitions a member of a group consumes: as even as it goes, and together all of them, whenever
 * the members agree on who they are.
 *
 * @param members sorted; `member` is one of them
 * @param turn a number of the context: who gets one more in one context should not in every other
 */
export function quota(partitions: number, members: readonly string[], member: string, turn: number): number {
  const even = Math.floor(partitions / members.length);
  const rank = (members.indexOf(member) + turn) % members.length;
  return rank < partitions % members.length ? even + 1 : even;
}
