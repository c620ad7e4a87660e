import type { Write } from '../core/commit.js';
import { compareIds } from '../core/entry-id.js';
import { originFields } from '../core/origin.js';
import type { KeptLetter } from '../core/dead-letter-store.js';
import type { InMemoryLog } from './in-memory-log.js';

type Keep = Extract<Write, { kind: 'dead-letter' }>;

/** The keys that are held back for one group. */
export interface InMemoryParked {
  /** Key to what holds it back: the id of a dead letter, or `redriven`. */
  readonly holders: Map<string, string>;
  /** Key to the dead letters that wait behind it. */
  readonly behind: Map<string, string[]>;
}

/** The dead letters of one partition. */
export class InMemoryDeadLetters {
  private readonly letters = new Map<string, KeptLetter>();
  private readonly parked = new Map<string, InMemoryParked>();
  private lastMs = 0;
  private sequence = 0;

  get size(): number {
    return this.letters.size;
  }

  newest(now: number): { readonly id: string; readonly ms: number } | undefined {
    const id = [...this.letters.keys()].at(-1);
    return id === undefined ? undefined : { id, ms: Math.max(0, now - Number.parseInt(id, 10)) };
  }

  get(id: string): KeptLetter | undefined {
    return this.letters.get(id);
  }

  after(id: string): readonly KeptLetter[] {
    return [...this.letters.values()].filter((letter) => compareIds(letter.id, id) > 0);
  }

  parkedOf(group: string): InMemoryParked {
    let parked = this.parked.get(group);
    if (!parked) this.parked.set(group, (parked = { holders: new Map(), behind: new Map() }));
    return parked;
  }

  keep({ letter, park }: Keep, now: number): void {
    if (now > this.lastMs) [this.lastMs, this.sequence] = [now, 0];
    else this.sequence++;
    const id = `${this.lastMs}-${this.sequence}`;
    this.letters.set(id, { ...letter, id });
    const { key = '' } = letter;
    const { holders, behind } = this.parkedOf(letter.group);
    if (park === 'head') holders.set(key, id);
    if (park === 'behind') behind.set(key, [...(behind.get(key) ?? []), id]);
  }

  discard(id: string): void {
    this.letters.delete(id);
  }

  /** Whether there was one. */
  redrive(id: string, own: InMemoryLog, now: number, parked?: string, fields?: readonly string[]): boolean {
    const letter = this.letters.get(id);
    if (!letter) return false;
    this.letters.delete(id);
    own.append([...originFields(letter, parked), ...(fields ?? letter.fields)], now);
    if (parked !== undefined) this.parkedOf(letter.group).holders.set(parked, 'redriven');
    return true;
  }

  unpark(group: string, key: string, own: InMemoryLog, now: number): void {
    const { holders, behind } = this.parkedOf(group);
    for (let id = behind.get(key)?.shift(); id !== undefined; id = behind.get(key)?.shift()) {
      if (this.redrive(id, own, now, key)) return;
    }
    holders.delete(key);
    behind.delete(key);
  }
}
