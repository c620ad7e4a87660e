import type { Entry, Source } from '@millrace/broker';
import fc from 'fast-check';
import { deliver, refOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition } from './store-harness.js';
import type { StoreHarness, Subject } from './store-harness.js';

type Step =
  | { readonly step: 'publish'; readonly count: number }
  | { readonly step: 'register'; readonly group: string }
  | { readonly step: 'deliver'; readonly group: string; readonly limit: number }
  | { readonly step: 'acknowledge'; readonly group: string; readonly which: number; readonly count: number }
  | { readonly step: 'finish'; readonly group: string }
  | { readonly step: 'crash'; readonly group: string }
  | { readonly step: 'expire'; readonly group: string }
  | { readonly step: 'advance'; readonly by: number }
  | { readonly step: 'trim'; readonly keepLength: number | undefined; readonly limit: number };

const GROUPS = ['g', 'h'];
const STATE = 'checkpoint.p.v1';
const group = fc.constantFrom('g', 'g', 'g', 'h');
const small = fc.integer({ min: 1, max: 4 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ step: fc.constant('publish' as const), count: small }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('register' as const), group }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('deliver' as const), group, limit: small }) },
  {
    weight: 6,
    arbitrary: fc.record({ step: fc.constant('acknowledge' as const), group, which: fc.nat(5), count: small }),
  },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('finish' as const), group }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('crash' as const), group }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('expire' as const), group }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('advance' as const), by: small }) },
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constant('trim' as const),
      keepLength: fc.option(fc.nat(3), { nil: undefined }),
      limit: fc.constantFrom(0, 200, 1000),
    }),
  },
);

export function describeRetentionModel(subject: Subject): void {
  describe('any history of publishing, consuming, crashing and trimming', () => {
    it.each(['in', 'feed'] as const)(
      'lets no follower of %s miss an entry',
      async (log) => {
        let trimmed = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
            const run = new Run(subject(), { partition: freshPartition(), log });
            for (const each of steps) await run.advance(each);
            await run.drain();
            trimmed += run.trimmed;
          }),
          { numRuns: 60 },
        );
        // Otherwise the histories were too tame to prove anything.
        expect(trimmed).toBeGreaterThan(100);
      },
      120_000,
    );
  });
}

/** What one group is owed: everything that was in the log when it came, or came later. */
interface Debt {
  readonly owed: Set<string>;
  /** Delivered and not acknowledged. */
  readonly pending: Map<string, Entry>;
}

class Run {
  trimmed = 0;
  private readonly debts = new Map<string, Debt>();
  private readonly expired = new Map<string, Debt>();
  /** What is in the log. */
  private entries: Entry[] = [];
  private position: number | undefined;
  /** Id of the last entry that was ever written. */
  private last = '0';

  constructor(
    private readonly harness: StoreHarness,
    private readonly source: Source,
  ) {}

  async advance(step: Step): Promise<void> {
    const { store } = this.harness;
    const { partition, log } = this.source;
    switch (step.step) {
      case 'publish':
        return this.publish(step.count);
      case 'register':
        return this.register(step.group);
      case 'deliver': {
        if (!this.debts.has(step.group)) await this.register(step.group);
        const { pending } = this.debts.get(step.group)!;
        for (const entry of await deliver(this.harness, this.source, step.group, step.limit)) {
          expect(pending.has(entry.id)).toBe(false);
          pending.set(entry.id, entry);
        }
        return;
      }
      case 'acknowledge': {
        const debt = this.debts.get(step.group);
        const entries = [...(debt?.pending.values() ?? [])];
        const begin = step.which % Math.max(1, entries.length);
        for (const entry of entries.slice(begin, begin + step.count)) await this.acknowledge(step.group, entry);
        return;
      }
      case 'finish': {
        await this.advance({ step: 'deliver', group: step.group, limit: 1000 });
        const { pending } = this.debts.get(step.group)!;
        for (const entry of [...pending.values()]) await this.acknowledge(step.group, entry);
        return;
      }
      case 'crash': {
        const debt = this.debts.get(step.group);
        const found = await store.readPending(this.source, step.group, '0', 1000);
        expect(found.map(({ id }) => id)).toEqual(sorted([...(debt?.pending.keys() ?? [])]));
        return;
      }
      case 'expire': {
        const debt = this.debts.get(step.group);
        const left = await store.expire(partition, { kind: 'group', log, group: step.group }, 0);
        expect(left?.pending).toBe(debt?.pending.size);
        if (debt) this.expired.set(step.group, debt);
        this.debts.delete(step.group);
        return;
      }
      case 'advance':
        return log === 'feed' ? this.checkpoint(step.by) : undefined;
      case 'trim': {
        const { keepLength, limit } = step;
        const length = keepLength === undefined ? {} : { keepLength };
        const { count } = await store.trim(this.source, { ...length, limit });
        const gone = this.entries.slice(0, count);
        this.entries = this.entries.slice(count);
        this.trimmed += count;
        for (const { owed } of this.debts.values()) for (const { id } of gone) expect(owed).not.toContain(id);
        for (const { id } of gone)
          expect(log === 'in' || Number(id.slice(2)) <= (this.position ?? Infinity)).toBe(true);
        // Who has expired is owed no more than what is there.
        for (const { owed, pending } of this.expired.values()) {
          for (const { id } of gone) if (owed.delete(id)) pending.delete(id);
        }
      }
    }
  }

  /** Everybody comes back, takes everything and finishes it. */
  async drain(): Promise<void> {
    for (const name of GROUPS) {
      await this.register(name);
      const debt = this.debts.get(name)!;
      const pending = await this.harness.store.readPending(this.source, name, '0', 1000);
      const fresh = await deliver(this.harness, this.source, name);
      const got = [...pending, ...fresh].map(({ id }) => id);
      expect(sorted(got)).toEqual(sorted([...debt.owed]));
      for (const entry of [...pending, ...fresh]) await this.acknowledge(name, entry);
    }
    const { store } = this.harness;
    expect((await store.readLog(this.source, '0', 1000)).map(({ id }) => id)).toEqual(this.entries.map(({ id }) => id));
  }

  private async publish(count: number): Promise<void> {
    const { partition, log } = this.source;
    const texts = Array.from({ length: count }, (_, n) => `${n}`);
    const writes =
      log === 'feed'
        ? [{ kind: 'append', events: texts } as const]
        : texts.map((message) => ({ kind: 'emit', to: partition, message }) as const);
    await this.harness.store.commit({ partition, guards: [], writes });
    const added = await this.harness.store.readLog(this.source, this.last, 1000);
    expect(added).toHaveLength(count);
    this.entries.push(...added);
    this.last = added.at(-1)!.id;
    for (const { owed } of [...this.debts.values(), ...this.expired.values()]) for (const { id } of added) owed.add(id);
  }

  private async register(name: string): Promise<void> {
    const { status } = await this.harness.store.createGroup(this.source, name);
    const former = this.expired.get(name);
    expect(status).toBe(this.debts.has(name) ? 'existed' : former ? 'restored' : 'created');
    if (this.debts.has(name)) return;
    this.expired.delete(name);
    this.debts.set(name, former ?? { owed: new Set(this.entries.map(({ id }) => id)), pending: new Map() });
  }

  private async acknowledge(name: string, entry: Entry): Promise<void> {
    const { owed, pending } = this.debts.get(name)!;
    const { partition } = this.source;
    const input = { kind: 'input', entry: refOf(entry), group: name } as const;
    const result = await this.harness.store.commit({ partition, guards: [input], writes: [] });
    expect(result.status).toBe('committed');
    owed.delete(entry.id);
    pending.delete(entry.id);
  }

  /** A projection that has not come before reads from the first event that is left. */
  private async checkpoint(by: number): Promise<void> {
    const { store } = this.harness;
    const { partition } = this.source;
    if (this.position === undefined) await store.register(partition, [{ kind: 'checkpoint', state: STATE }]);
    const next = await store.readFeed(partition, this.position ?? 0, by);
    if (this.position !== undefined && next.length > 0) expect(next[0]!.id).toBe(`0-${this.position + 1}`);
    this.position = next.length > 0 ? Number(next.at(-1)!.id.slice(2)) : (this.position ?? 0);
    const value = JSON.stringify({ position: this.position });
    await store.commit({ partition, guards: [], writes: [{ kind: 'put', state: STATE, value }] });
  }
}

function sorted(ids: readonly string[]): string[] {
  const key = (id: string) => id.split('-').map(Number) as [number, number];
  return [...ids].sort((a, b) => key(a)[0] - key(b)[0] || key(a)[1] - key(b)[1]);
}
