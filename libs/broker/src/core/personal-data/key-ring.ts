import { randomBytes } from 'node:crypto';
import { KEY_BYTES } from './cipher.js';
import { ExpiringCache } from './expiring-cache.js';
import type { MasterKey, SubjectKey } from './master-key.js';
import type { SubjectKeys } from './subject-keys.js';

/** No subject has this name; its key tells a wrong master key before anything is encrypted or read. */
const CANARY = '';

/** Keys of subjects as one process knows them: for a short time, so that a deleted one is soon gone everywhere. */
export class KeyRing {
  private readonly known: ExpiringCache<SubjectKey>;
  /** Ids of keys that are no more. They never come back, so nobody has to ask twice. */
  private readonly gone: ExpiringCache<true>;
  private checked: Promise<void> | undefined;

  /**
   * @param cacheMs how long a key is used without asking for it again
   * @param now ms, of a clock that never goes back
   */
  constructor(
    private readonly keys: SubjectKeys,
    private readonly master: MasterKey,
    { cacheMs, cacheSize }: { readonly cacheMs: number; readonly cacheSize: number },
    private readonly now: () => number = () => performance.now(),
  ) {
    this.known = new ExpiringCache(cacheSize, cacheMs, now);
    this.gone = new ExpiringCache(cacheSize, cacheMs, now);
  }

  /** The key to encrypt with; made when the subject has none. */
  async current(subject: string): Promise<SubjectKey> {
    const known = this.known.get(subject);
    if (known) return known;
    await this.check();
    const since = this.now();
    const existing = await this.keys.get(subject);
    const wrapped = existing ?? (await this.keys.create(subject, this.master.wrap(subject, freshKey())));
    return this.keep(subject, this.master.unwrap(subject, wrapped), since);
  }

  /** The key that something was encrypted with; undefined: it has been deleted. */
  async find(subject: string, id: string): Promise<SubjectKey | undefined> {
    const known = this.known.get(subject);
    if (known?.id === id) return known;
    if (this.gone.get(id)) return undefined;
    await this.check();
    const since = this.now();
    const wrapped = await this.keys.get(subject);
    const found = wrapped === undefined ? undefined : this.keep(subject, this.master.unwrap(subject, wrapped), since);
    if (found?.id === id) return found;
    this.gone.put(id, true, since);
    return undefined;
  }

  /** The key that a person has, if there is one. */
  async existing(subject: string): Promise<SubjectKey | undefined> {
    const known = this.known.get(subject);
    if (known) return known;
    await this.check();
    const since = this.now();
    const wrapped = await this.keys.get(subject);
    return wrapped === undefined ? undefined : this.keep(subject, this.master.unwrap(subject, wrapped), since);
  }

  /** @returns whether there was one */
  async delete(subject: string): Promise<boolean> {
    const deleted = await this.keys.delete(subject);
    this.known.delete(subject);
    return deleted;
  }

  /**
   * Asks once whether this is the master key that the keys were wrapped with.
   *
   * @throws ConfigurationError when it is not
   */
  check(): Promise<void> {
    return (this.checked ??= this.compare().catch((error: unknown) => {
      this.checked = undefined;
      throw error;
    }));
  }

  private async compare(): Promise<void> {
    const canary = await this.keys.create(CANARY, this.master.wrap(CANARY, freshKey()));
    this.master.unwrap(CANARY, canary);
  }

  private keep(subject: string, key: SubjectKey, since: number): SubjectKey {
    this.known.put(subject, key, since);
    return key;
  }
}

function freshKey(): SubjectKey {
  return { id: randomBytes(8).toString('hex'), secret: randomBytes(KEY_BYTES) };
}
