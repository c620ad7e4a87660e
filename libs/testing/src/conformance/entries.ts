import type { PartitionStore, ReplyAddress, Entry, EntryRef, Source } from '@millrace/broker';
import { MESSAGE_FIELD } from '@millrace/messages';
import { inboxOf } from './store-harness.js';
import type { StoreHarness } from './store-harness.js';

/** The message of an entry that Millrace has written. */
export function textOf(entry: Entry): string {
  const [field, text, ...rest] = entry.fields;
  if (field !== MESSAGE_FIELD || text === undefined || rest.length > 0) {
    throw new Error(`not an entry with the one field '${MESSAGE_FIELD}': ${JSON.stringify(entry.fields)}`);
  }
  return text;
}

export function refOf({ source, id }: EntryRef): EntryRef {
  return { source, id };
}

/** Delivers to a group what waits for it, without waiting for more. */
export async function deliver(
  { store }: StoreHarness,
  source: Source,
  group: string,
  limit = 10_000,
): Promise<readonly Entry[]> {
  const reader = store.openReader();
  try {
    return await reader.readGroup(group, [source], limit, 0);
  } finally {
    await reader.close();
  }
}

/** What has arrived in an inbox, read by a group of its own. */
export async function arrivedAt(harness: StoreHarness, partition: Source['partition']): Promise<readonly string[]> {
  return (await deliver(harness, inboxOf(partition), 'observer')).map(textOf);
}

/** What has come for a waiting process. */
export async function repliesAt(store: PartitionStore, address: ReplyAddress): Promise<readonly string[]> {
  const reader = store.openReader();
  try {
    const replies = await reader.readReplies(address, '0', 10_000, 0);
    return replies.map(({ fields }) => fields[fields.indexOf(MESSAGE_FIELD) + 1]!);
  } finally {
    await reader.close();
  }
}
