import type { Broker, Entry } from '@millrace/broker';
import { ProjectingContext } from './projection-context.js';
import type { ProjectionContext } from './projection-context.js';
import type { ProjectionDeclaration } from './projection.js';
import { eventOnceOf, openEntry, positionOf } from './stored-event.js';

/** How far a batch was folded. */
export interface Folded {
  /** Position of the last event that was taken, or passed because the projection does not want it. */
  readonly position: number;
  /** The event after it, when the projection could not take it. */
  readonly failure?: FailedEvent;
}

export interface FailedEvent {
  readonly position: number;
  readonly entry: Entry;
  readonly error: unknown;
}

export interface Folding {
  /** Position before the first event. */
  readonly after: number;
  /** Attempts at the first event, this one included. */
  readonly attempt: number;
  readonly build: string;
  /** Whether the event at a position is replayed. */
  isReplay(position: number): boolean;
}

/** Where events are folded into. */
export interface FoldTarget {
  /** What methods write with. */
  readonly handle: unknown;
  /** What it gives methods to wait for when there is nothing to wait for. */
  readonly done?: Promise<void>;
  /** The event has been projected: its changes count. */
  keep?(): void;
  /** The event has failed: its changes are as if never made. */
  drop?(): void;
}

type Projecting = (event: object, handle: unknown, context: ProjectionContext) => void | Promise<void>;

/** Folds consecutive events of one partition, up to the first one that fails. */
export async function fold(
  broker: Broker,
  { methods }: ProjectionDeclaration,
  projection: object,
  entries: readonly Entry[],
  target: FoldTarget,
  folding: Folding,
): Promise<Folded> {
  const { build } = folding;
  let position = folding.after;
  let attempt = folding.attempt;
  for (const entry of entries) {
    const next = positionOf(entry);
    try {
      const opened = openEntry(broker, entry);
      const stored = opened instanceof Promise ? await opened : opened;
      const taking = methods.get(stored.message.type);
      if (taking) {
        const event = eventOnceOf(stored, taking);
        const method = (projection as Record<string | symbol, Projecting>)[taking.method]!;
        const context = new ProjectingContext(stored.message, entry, next, attempt, build, folding.isReplay(next));
        const projecting = method.call(projection, event, target.handle, context);
        if (projecting instanceof Promise && projecting !== target.done) await projecting;
        target.keep?.();
      }
    } catch (error) {
      target.drop?.();
      return { position, failure: { position: next, entry, error } };
    }
    position = next;
    attempt = 1;
  }
  return { position };
}
