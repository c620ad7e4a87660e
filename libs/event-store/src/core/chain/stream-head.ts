import type { AppendWrite, Broker, Entry, Partition } from '@millrace/broker';
import { MESSAGE_FIELD } from '@millrace/messages';
import { checkWhole } from '../stored-event.js';
import { withoutChain } from './chain-link.js';

/** The end of a stream, on which the next event is chained. */
export interface StreamHead {
  readonly version: number;
  /** Undefined: its last event carries none, or there is no event. */
  readonly chain: string | undefined;
}

const noted = new WeakMap<AppendWrite, () => StreamHead>();

/** Tells what an append goes on from, where that has been read already: its own version guard holds it fast. */
export function noteHead(write: AppendWrite, version: number, last: Entry | undefined): void {
  noted.set(write, () => ({ version, chain: last && chainOf(last) }));
}

export function notedHead(write: AppendWrite): StreamHead | undefined {
  return noted.get(write)?.();
}

/** @throws UnreadableEventError when the last event is in an archive that this process does not have */
export async function readHead({ store }: Broker, partition: Partition, stream: string): Promise<StreamHead> {
  const slice = await store.readStream(partition, stream, { limit: 1, backwards: true });
  checkWhole(partition, stream, slice);
  const [last] = slice.entries;
  return { version: slice.version, chain: last && chainOf(last) };
}

/** The stored text of an event; undefined for an entry that was written by hand. */
export function textOf({ fields }: Pick<Entry, 'fields'>): string | undefined {
  return fields.length === 2 && fields[0] === MESSAGE_FIELD ? fields[1] : undefined;
}

function chainOf(entry: Entry): string | undefined {
  return withoutChain(textOf(entry) ?? '').chain;
}
