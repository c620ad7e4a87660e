import { PassingMap } from '@millrace/broker';
import type { Broker, Commit, CommitResult, Write } from '@millrace/broker';
import type { StoredInstance } from './stored-instance.js';
import type { Listing } from './saga-index.js';

/** Characters of all that is kept; the oldest go first. */
const MOST_CHARS = 8 * 1024 * 1024;
/** Who has been away for so long reads again, ms. */
const FRESH_MS = 60_000;

/** A state as this process has written it. */
export interface RecentState {
  readonly value: StoredInstance;
  readonly revision: number;
  /** Where lists have its instance. */
  readonly listed: readonly Listing[];
}

/** Made by its constructor, as V8 would put a literal's among old objects, where a dead one keeps its text. */
class Remembered implements RecentState {
  /** @param until then it is fresh, in `performance.now()` */
  constructor(
    readonly value: StoredInstance,
    readonly revision: number,
    readonly listed: readonly Listing[],
    readonly until: number,
  ) {}
}

/** Stores an instance. */
export class InstancePut implements Extract<Write, { kind: 'put' }> {
  readonly kind = 'put';
  readonly value: string;

  /** @param listed where lists have the instance then; undefined: nobody will want it soon */
  constructor(
    readonly state: string,
    readonly stored: StoredInstance,
    readonly listed: readonly Listing[] | undefined,
  ) {
    this.value = stored.text;
  }
}

/**
 * What this process has stored lately, so that the next message for an instance need not read it. It may have been changed by
 * others since: what is decided on it has to be guarded by its revision, and what is decided not to be done, to be read again.
 *
 * Kept as text, so that an instance is the same whether it was read or kept.
 */
export class RecentInstances {
  private readonly states = new PassingMap<Remembered>();
  private chars = 0;
  private readonly freshMs: number;

  constructor(broker: Broker) {
    // A state that was removed counts its revisions anew after that window.
    this.freshMs = Math.min(FRESH_MS, broker.dedupeWindowMs / 2);
    broker.complete((commit, next) => {
      const put = commit.writes.find((write) => write instanceof InstancePut);
      return put ? next(commit).then((result) => this.written(commit, put, result)) : next(commit);
    });
  }

  /** A state, once: until it is written again it is not known any more. */
  take(state: string): RecentState | undefined {
    const found = this.states.get(state);
    if (!found) return undefined;
    this.forget(state, found);
    return found.until > performance.now() ? found : undefined;
  }

  private written(commit: Commit, { state, stored, listed }: InstancePut, result: CommitResult): CommitResult {
    const guard = commit.guards.find((each) => each.kind === 'revision' && each.state === state);
    if (result.status !== 'committed' || guard?.kind !== 'revision') return result;
    const former = this.states.get(state);
    if (former && former.revision > guard.expected) return result;
    if (former) this.forget(state, former);
    if (!listed) return result;
    this.states.set(state, new Remembered(stored, guard.expected + 1, listed, performance.now() + this.freshMs));
    this.chars += stored.text.length;
    if (this.chars <= MOST_CHARS) return result;
    for (const [oldest, found] of this.states) {
      if (this.chars <= MOST_CHARS) break;
      this.forget(oldest, found);
    }
    return result;
  }

  private forget(state: string, { value }: RecentState): void {
    this.states.delete(state);
    this.chars -= value.text.length;
  }
}
