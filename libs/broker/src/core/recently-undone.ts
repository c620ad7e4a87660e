const MOST = 10_000;

/**
 * Effects that were undone by this process a short while ago: for these, a look into the store is worth its time even before a
 * command that comes for the first time. Knowing nothing of the others costs no more than a handler that runs in vain.
 */
export class RecentlyUndone {
  private readonly effects = new Set<string>();

  add(effect: string): void {
    // Deleted first, so that it is the newest.
    this.effects.delete(effect);
    this.effects.add(effect);
    if (this.effects.size > MOST) this.effects.delete(this.effects.values().next().value!);
  }

  has(effect: string): boolean {
    return this.effects.has(effect);
  }
}
