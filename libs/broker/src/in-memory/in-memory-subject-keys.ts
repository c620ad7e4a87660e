import type { SubjectKeys } from '../core/personal-data/subject-keys.js';

/** Keys of data subjects in memory: the reference adapter, for tests. */
export class InMemorySubjectKeys implements SubjectKeys {
  private readonly keys = new Map<string, string>();

  async get(subject: string): Promise<string | undefined> {
    return this.keys.get(subject);
  }

  async create(subject: string, key: string): Promise<string> {
    const kept = this.keys.get(subject) ?? key;
    this.keys.set(subject, kept);
    return kept;
  }

  async delete(subject: string): Promise<boolean> {
    return this.keys.delete(subject);
  }
}
