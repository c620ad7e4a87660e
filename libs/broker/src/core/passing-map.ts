/** By its constructor, for the reason of {@link youngList}. */
class Box<V> {
  constructor(public value: V | undefined) {}
}

/**
 * A map of what comes and goes by thousands a second. When a `Map` has outgrown its table, the old table keeps its entries and
 * leads to the next one; once one of them is among V8's old objects, all that follow live until the next full collection, each
 * with all that was in it. So values are in boxes here, which are emptied when they go.
 */
export class PassingMap<V> {
  private readonly boxes = new Map<string, Box<V>>();

  get size(): number {
    return this.boxes.size;
  }

  has(key: string): boolean {
    return this.boxes.has(key);
  }

  get(key: string): V | undefined {
    return this.boxes.get(key)?.value;
  }

  set(key: string, value: V): void {
    const box = this.boxes.get(key);
    if (box) box.value = value;
    else this.boxes.set(key, new Box(value));
  }

  delete(key: string): void {
    const box = this.boxes.get(key);
    if (!box) return;
    this.boxes.delete(key);
    box.value = undefined;
  }

  /** In the order in which their keys came. */
  *values(): IterableIterator<V> {
    for (const { value } of this.boxes.values()) yield value!;
  }

  *[Symbol.iterator](): IterableIterator<[key: string, value: V]> {
    for (const [key, { value }] of this.boxes) yield [key, value!];
  }
}
