import { HandlingContext } from '@millrace/broker';
import type { Broker, Entry, MessageContext } from '@millrace/broker';
import type { ProjectionDeclaration } from './projection.js';
import type { RowBuffer } from './row-buffer.js';
import { eventOf, openEntry, positionOf } from './stored-event.js';
import type { View } from './view.js';

/** How far a batch was folded. */
export interface Folded {
  /** Position of the last event that was taken, or passed because the projection does not want it. */
  readonly position: number;
  /** The event after it, when the projection could not take it. */
  readonly failure?: { readonly position: number; readonly error: unknown };
}

type Projecting = (event: object, view: View<unknown>, context: MessageContext) => void | Promise<void>;

/**
 * Folds consecutive events of one partition into rows, up to the first one that fails.
 *
 * `attempt` counts the attempts at the first of them.
 */
export async function fold(
  broker: Broker,
  { methods }: ProjectionDeclaration,
  projection: object,
  entries: readonly Entry[],
  rows: RowBuffer,
  { after, attempt }: { readonly after: number; readonly attempt: number },
): Promise<Folded> {
  let position = after;
  for (const [index, entry] of entries.entries()) {
    try {
      const stored = openEntry(broker, entry);
      const { message: envelope } = stored;
      const target = methods.get(envelope.type);
      if (target) {
        const event = eventOf(stored, target);
        const method = (projection as Record<string | symbol, Projecting>)[target.method]!;
        await method.call(projection, event, rows, new HandlingContext(envelope, entry, index === 0 ? attempt : 1));
        rows.keep();
      }
    } catch (error) {
      rows.drop();
      return { position, failure: { position: positionOf(entry), error } };
    }
    position = positionOf(entry);
  }
  return { position };
}
