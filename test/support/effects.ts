import type { Site } from './site.js';

export interface Sending {
  readonly data?: object;
  readonly key?: string;
  readonly replyto?: string;
  /** Partition of the inbox. Default 0. */
  readonly to?: number;
}

/** Sends `work.do`, whose effect is `e<n>`, or `work.undo`, which undoes that. */
export async function command(site: Site, what: 'do' | 'undo', n: number, sending: Sending = {}): Promise<void> {
  const { data = {}, key = `${n}`, replyto, to = 0 } = sending;
  const fields = {
    id: `${what}-${n}`,
    type: `work.${what}`,
    data: JSON.stringify({ ...data, n }),
    partitionkey: key,
    ...(what === 'do' ? { effectid: `e${n}` } : { undoes: `e${n}` }),
    ...(replyto === undefined ? {} : { replyto }),
  };
  await site.write(Object.entries(fields).flat(), to);
}

/** What has been done and undone in a partition, in order. */
export async function ledger(site: Site, index = 0): Promise<readonly object[]> {
  const { entries } = await site.store.readStream({ context: site.context, index }, 'ledger');
  return entries.map(({ fields }) => JSON.parse(fields[1]!) as object);
}
