import type { Broker, Entry } from '@millrace/broker';
import { ProjectingContext } from './projection-context.js';
import type { ProjectionContext } from './projection-context.js';
import type { ProjectionDeclaration } from './projection.js';
import type { RowBuffer } from './row-buffer.js';
import { eventOnceOf, openEntry, positionOf } from './stored-event.js';
import type { View } from './view.js';

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

type Projecting = (event: object, view: View<unknown>, context: ProjectionContext) => void | Promise<void>;

/** Folds consecutive events of one partition into rows, up to the first one that fails. */
export async function fold(
  broker: Broker,
  { methods }: ProjectionDeclaration,
  projection: object,
  entries: readonly Entry[],
  rows: RowBuffer,
  folding: Folding,
): Promise<Folded> {
  let position = folding.after;
  for (const [index, entry] of entries.entries()) {
    const next = positionOf(entry);
    try {
      const opened = openEntry(broker, entry);
      const stored = opened instanceof Promise ? await opened : opened;
      const target = methods.get(stored.message.type);
      if (target) {
        const event = eventOnceOf(stored, target);
        const method = (projection as Record<string | symbol, Projecting>)[target.method]!;
        const context = new ProjectingContext(stored.message, entry, next, index === 0 ? folding.attempt : 1, {
          build: folding.build,
          isReplay: folding.isReplay(next),
        });
        const projecting = method.call(projection, event, rows, context);
        if (projecting instanceof Promise) await projecting;
        rows.keep();
      }
    } catch (error) {
      rows.drop();
      return { position, failure: { position: next, entry, error } };
    }
    position = next;
  }
  return { position };
}
