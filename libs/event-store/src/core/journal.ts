/** What is known of an aggregate and kept beside it, so that its own fields are its state and nothing else. */
export interface Journal {
  id: string;
  /** The number of its events, those just recorded included. */
  version: number;
  /** The number of its events that came from a snapshot. */
  snapshot: number;
  /** Not yet taken for a commit. */
  readonly recorded: object[];
}

const journals = new WeakMap<object, Journal>();

export function journalOf(aggregate: object): Journal {
  let journal = journals.get(aggregate);
  if (!journal) journals.set(aggregate, (journal = { id: '', version: 0, snapshot: 0, recorded: [] }));
  return journal;
}

/** What distinguishes an aggregate from others of its kind. */
export function idOf(aggregate: object): string {
  return journalOf(aggregate).id;
}

/** The number of an aggregate's events, those just recorded included; 0: it does not exist yet. */
export function versionOf(aggregate: object): number {
  return journalOf(aggregate).version;
}
