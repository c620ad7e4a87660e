import type { Commit } from './commit.js';
import type { Partition } from './partition.js';

interface Gathered {
  readonly partition: Partition;
  readonly events: string[];
  readonly committed: Promise<unknown>;
}

/** Events of one commit; more would make others wait for it. */
const MAX_EVENTS = 500;

/**
 * Gathers the events that are published outside of handlers in one turn of the event loop: those of a partition become one
 * commit, which all of them wait for.
 */
export class Publications {
  private readonly open: (Gathered | undefined)[] = [];

  constructor(private readonly commit: (commit: Commit) => Promise<unknown>) {}

  /** Resolves when the event is written, and rejects as the commit does. */
  add(partition: Partition, event: string): Promise<unknown> {
    let gathered = this.open[partition.index];
    if (!gathered || gathered.events.length === MAX_EVENTS) {
      this.open[partition.index] = gathered = this.begin(partition);
    }
    gathered.events.push(event);
    return gathered.committed;
  }

  private begin(partition: Partition): Gathered {
    const events: string[] = [];
    const committed = new Promise<unknown>((resolve) => {
      process.nextTick(() => {
        if (this.open[partition.index]?.events === events) this.open[partition.index] = undefined;
        resolve(this.commit({ partition, guards: [], writes: [{ kind: 'append', events }] }));
      });
    });
    return { partition, events, committed };
  }
}
