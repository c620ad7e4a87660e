/** A list of positions by which events of a partition are found. */
export interface EventIndex {
  readonly kind: 'stream' | 'tag' | 'category';
  readonly name: string;
}

/** An event that is put back where it was. */
export interface RestoredEvent {
  readonly position: number;
  /** Names and values alternating. */
  readonly fields: readonly string[];
}

export const INDEX_KINDS = ['stream', 'tag', 'category'] as const;

/** Streams first, then tags, then categories, each by name: by UTF-16 units, the same on every machine. */
export function compareIndexes(a: EventIndex, b: EventIndex): number {
  if (a.kind !== b.kind) return INDEX_KINDS.indexOf(a.kind) - INDEX_KINDS.indexOf(b.kind);
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** The first of some indexes, in order, behind one: of any number that are added, only so many are kept. */
export class FirstIndexes {
  private found: EventIndex[] = [];

  constructor(
    private readonly limit: number,
    private readonly after: EventIndex | undefined,
  ) {}

  add(index: EventIndex): void {
    if (this.after && compareIndexes(index, this.after) <= 0) return;
    this.found.push(index);
    if (this.found.length >= 2 * this.limit + 1_000) this.found = this.inOrder();
  }

  /** Each once. */
  inOrder(): EventIndex[] {
    const sorted = this.found.sort(compareIndexes);
    const each = sorted.filter((index, i) => i === 0 || compareIndexes(index, sorted[i - 1]!) !== 0);
    return each.slice(0, this.limit);
  }
}
