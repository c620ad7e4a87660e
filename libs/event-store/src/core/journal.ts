import type { SubjectKeyRef } from '@millrace/messages';

/** What is known of an aggregate and kept beside it, so that its own fields are its state and nothing else. */
export interface Journal {
  id: string;
  /** The number of its events, those just recorded included. */
  version: number;
  /** The number of its events that came from a snapshot. */
  snapshot: number;
  /** Of the personal data that its state is made of. */
  keys: readonly SubjectKeyRef[];
  /** Not yet taken for a commit. */
  readonly recorded: object[];
}

const journals = new WeakMap<object, Journal>();

const NO_KEYS: readonly SubjectKeyRef[] = [];

export function journalOf(aggregate: object): Journal {
  let journal = journals.get(aggregate);
  if (!journal) journals.set(aggregate, (journal = { id: '', version: 0, snapshot: 0, keys: NO_KEYS, recorded: [] }));
  return journal;
}

/** An event that changes nothing is one of its events, too. */
export function passEvent(aggregate: object): void {
  journalOf(aggregate).version++;
}

/** Its state is made of personal data that these keys protect, too. */
export function noteKeys(aggregate: object, keys: readonly SubjectKeyRef[] = NO_KEYS): void {
  if (keys.length === 0) return;
  const journal = journalOf(aggregate);
  const news = keys.filter(({ id }) => !journal.keys.some((known) => known.id === id));
  if (news.length > 0) journal.keys = [...journal.keys, ...news];
}

/** What distinguishes an aggregate from others of its kind. */
export function idOf(aggregate: object): string {
  return journalOf(aggregate).id;
}

/** The number of an aggregate's events, those just recorded included; 0: it does not exist yet. */
export function versionOf(aggregate: object): number {
  return journalOf(aggregate).version;
}
