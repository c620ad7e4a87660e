import { memberOf, placeOf, rangeOf } from '../core/row-index.js';
import type { IndexEntry, RowPlace, RowQuery, RowRange } from '../core/row-index.js';

/** The indexes of one view in one partition: members in the order of their bytes, as a sorted set of Redis has them. */
export class InMemoryRowIndex {
  private readonly members: Buffer[] = [];
  private readonly byRow = new Map<string, readonly string[]>();

  /** Lists a row under these entries only. */
  list(id: string, entries: readonly IndexEntry[]): void {
    const members = membersOf(id, entries);
    this.move(this.byRow.get(id) ?? [], members);
    if (members.length > 0) this.byRow.set(id, members);
    else this.byRow.delete(id);
  }

  /** Takes members out, then puts others in. */
  move(gone: readonly string[], added: readonly string[]): void {
    for (const member of gone) {
      const at = this.find(Buffer.from(member));
      if (this.members[at]?.toString() === member) this.members.splice(at, 1);
    }
    for (const member of added) {
      const bytes = Buffer.from(member);
      const at = this.find(bytes);
      if (this.members[at]?.toString() !== member) this.members.splice(at, 0, bytes);
    }
  }

  clear(): void {
    this.members.length = 0;
    this.byRow.clear();
  }

  page(query: RowQuery): readonly RowPlace[] {
    const { min, max, withMin } = rangeOf(query);
    const first = this.find(Buffer.from(min));
    const skipped = !withMin && this.members[first]?.toString() === min ? 1 : 0;
    const found = this.members.slice(first + skipped, this.find(Buffer.from(max)));
    if (query.backwards) found.reverse();
    return found.slice(0, query.limit).map((member) => placeOf(member.toString()));
  }

  count(range: RowRange): number {
    const { min, max } = rangeOf({ ...range, limit: 1 });
    return Math.max(0, this.find(Buffer.from(max)) - this.find(Buffer.from(min)));
  }

  /** Where the first member stands that is not below this one. */
  private find(bytes: Buffer): number {
    let [low, high] = [0, this.members.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Buffer.compare(this.members[middle]!, bytes) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Each member once. */
export function membersOf(id: string, entries: readonly IndexEntry[]): string[] {
  return [...new Set(entries.map((entry) => memberOf(entry, id)))];
}
