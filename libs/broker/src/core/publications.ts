import type { Commit } from './commit.js';
import type { Partition } from './partition.js';

interface Gathered {
  readonly partition: Partition;
  readonly events: string[];
  readonly committed: Promise<unknown>;
  send(): void;
}

/** So many leave without waiting for the end of the turn: the store works on them while further ones are made. */
const MAX_EVENTS = 200;

/**
 * Gathers the events that are published outside of handlers in one turn of the event loop: those of a partition become one
 * commit, which all of them wait for.
 */
export class Publications {
  private readonly open: (Gathered | undefined)[] = [];
  private size = 0;

  constructor(private readonly commit: (commit: Commit) => Promise<unknown>) {}

  /** Resolves when the event is written, and rejects as the commit does. */
  add(partition: Partition, event: string): Promise<unknown> {
    if (this.size === 0) process.nextTick(() => this.flush());
    const gathered = (this.open[partition.index] ??= this.begin(partition));
    gathered.events.push(event);
    if (++this.size === MAX_EVENTS) this.flush();
    return gathered.committed;
  }

  private begin(partition: Partition): Gathered {
    const events: string[] = [];
    let send!: () => void;
    const committed = new Promise<unknown>((resolve) => {
      send = () => resolve(this.commit({ partition, guards: [], writes: [{ kind: 'append', events }] }));
    });
    return { partition, events, committed, send };
  }

  private flush(): void {
    if (this.size === 0) return;
    this.size = 0;
    for (const gathered of this.open.splice(0)) gathered?.send();
  }
}
