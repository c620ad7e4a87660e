/**
 * Port to where the keys of data subjects are kept: one for each person, wrapped by the master key of the service, so that
 * who reads this store alone reads nothing.
 *
 * Whoever deletes a key means it: keep its backups apart from those of events, and shorter.
 */
export interface SubjectKeys {
  /** The key of a subject; undefined when there is none, or none any more. */
  get(subject: string): Promise<string | undefined>;
  /**
   * Keeps a key, unless the subject has one already. Of two at once, one is kept.
   *
   * @returns the one that is kept
   */
  create(subject: string, key: string): Promise<string>;
  /** @returns whether there was one */
  delete(subject: string): Promise<boolean>;
  /** Lets go of connections. A module that was given the keys does so with its own. */
  close?(): Promise<void>;
}
