import type { RedisConnection } from './redis-connection.js';

/** How long a name that CLIENT LIST has shown counts as alive without asking again, ms. */
const FRESH_MS = 500;

/**
 * Which processes have connections: one that was killed has none left. Where CLIENT LIST is not allowed, nobody is known
 * to be gone, and times to live decide.
 */
export class LivingClients {
  private shown = '';
  private shownAt = Number.NEGATIVE_INFINITY;

  /** @param own the name of this process's connections */
  constructor(
    private readonly connection: RedisConnection,
    readonly own: string,
  ) {}

  /** Whether no client has this name. Who was alive a moment ago is not asked for again; who seemed dead is. */
  async areGone(name: string): Promise<boolean> {
    if (name === this.own) return false;
    if (performance.now() - this.shownAt < FRESH_MS && this.shows(name)) return false;
    try {
      const shown = (await this.connection.everywhere('CLIENT', ['LIST'])).join('\n');
      this.shown = shown;
      this.shownAt = performance.now();
      return !this.shows(name);
    } catch {
      return false;
    }
  }

  private shows(name: string): boolean {
    return this.shown.includes(` name=${name} `);
  }
}
