import type { Acknowledger } from './acknowledger.js';
import type { Broker } from './broker.js';
import type { Commit, CommitResult } from './commit.js';
import { youngList } from './young-list.js';

/** Who has decided, and waits for what becomes of it. */
export interface Decided {
  committed(result: CommitResult): void;
  fail(error: unknown): void;
}

/** By its constructor, for the reason of {@link youngList}. */
class Written {
  constructor(
    readonly commit: Commit,
    readonly by: Decided,
  ) {}
}

/**
 * What handlers have decided, handed to the store at the end of the turn: by then no unit of work is the current one, and promises
 * cost half as much (see {@link Ambient}).
 */
export class DecidedCommits {
  private waiting = youngList<Written>();

  constructor(
    private readonly broker: Broker,
    private readonly acknowledger: Pick<Acknowledger, 'certain'>,
  ) {}

  add(commit: Commit, by: Decided): void {
    if (this.waiting.push(new Written(commit, by)) === 1) process.nextTick(this.afterTick);
  }

  /** Node stops watching promises in a microtask behind the ticks. */
  private readonly afterTick = (): void => queueMicrotask(this.flush);

  private readonly flush = (): void => {
    const { waiting } = this;
    this.waiting = youngList();
    for (const { commit, by } of waiting) {
      this.commit(commit).then(
        (result) => by.committed(result),
        (error) => by.fail(error),
      );
    }
  };

  private commit(commit: Commit): Promise<CommitResult> {
    const { certain } = this.acknowledger;
    return certain ? certain.then(() => this.broker.commit(commit)) : this.broker.commit(commit);
  }
}
