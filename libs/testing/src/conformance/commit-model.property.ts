import { isRepeatable } from '@millrace/broker';
import type { Partition, Write } from '@millrace/broker';
import fc from 'fast-check';
import { CommitModel } from './commit-model.js';
import { carriedOut, NAMES } from './commit-plan.js';
import type { Step } from './commit-plan.js';
import { deliver, textOf } from './entries.js';
import { fireTimers } from './fire-timers.js';
import { history } from './histories.js';
import { describe, expect, it } from './jest-globals.js';
import { observed, predicted } from './observed.js';
import { freshContext } from './store-harness.js';
import type { StoreHarness, Subject } from './store-harness.js';

export function describeCommitModel(subject: Subject): void {
  describe('any history of commits', () => {
    it('has the results and leaves the contents that a plain model predicts', async () => {
      const outcomes = new Set<string>();
      await fc.assert(
        fc.asyncProperty(history, async (steps) => {
          const run = await begin(subject());
          for (const step of [...opening(run), ...steps]) await advance(run, step, outcomes);
          for (const partition of run.partitions) {
            // The model looks second: it learns the ids of messages that nobody had read.
            const contents = await observed(subject(), partition);
            expect(contents).toEqual(predicted(run.model, partition));
          }
        }),
        { numRuns: 200 },
      );
      // Otherwise the histories were too tame to prove anything.
      expect([...outcomes].sort()).toEqual([
        ...[
          'command',
          'committed',
          'input',
          'lease',
          'parked',
          'revision',
          'tags',
          'timer',
          'tombstone',
          'twice',
          'version',
        ],
      ]);
    }, 120_000);
  });
}

interface Run {
  readonly harness: StoreHarness;
  readonly context: string;
  readonly partitions: readonly Partition[];
  readonly model: CommitModel;
}

/** Fresh partitions, the first with the lease at epoch 1, the second at epoch 2. */
async function begin(harness: StoreHarness): Promise<Run> {
  const context = freshContext();
  const partitions = NAMES.partitions.map((index) => ({ context, index }));
  const model = new CommitModel(partitions.length);
  for (const partition of partitions) {
    await harness.store.openReplies({ partition, instance: NAMES.instances[0] }, 600_000);
    model.at(partition).replies[NAMES.instances[0]] = [];
    for (let epoch = 1; epoch <= partition.index + 1; epoch++) {
      await harness.store.acquireLease({ partition, group: 'g', owner: `owner-${epoch}`, ttlMs: 600_000 });
      if (epoch <= partition.index) await harness.store.releaseLease(partition, 'g', epoch);
      model.at(partition).epochs['g'] = epoch;
    }
  }
  return { harness, context, partitions, model };
}

/** Something in every log, some of it delivered, and an effect that was undone, so that short histories meet all of that, too. */
function opening({ partitions }: Run): readonly Step[] {
  return partitions.flatMap((partition): Step[] => {
    const writes: Write[] = [
      { kind: 'append', events: ['happened', 'happened too'], tags: [['red'], ['red', 'big']] },
      { kind: 'emit', to: partition, message: 'do' },
      { kind: 'emit', to: partition, message: 'do more' },
      { kind: 'tombstone', effect: NAMES.effects[0], by: 'opening', ttlMs: 600_000 },
    ];
    return [
      { step: 'commit', plan: { partition, guards: [], writes }, twice: false },
      ...NAMES.logs.flatMap((log): Step[] => [
        { step: 'deliver', source: { partition, log }, group: 'g', limit: 2 },
        { step: 'deliver', source: { partition, log }, group: 'h', limit: 1 },
      ]),
    ];
  });
}

async function advance({ harness, context, model }: Run, step: Step, outcomes: Set<string>): Promise<void> {
  const { store } = harness;
  switch (step.step) {
    case 'commit': {
      const commit = carriedOut(step.plan, context, model);
      const result = await store.commit(commit);
      expect(result).toEqual(model.commit(commit));
      outcomes.add(result.status === 'refused' ? result.guard : result.status);
      if (!step.twice) return;
      const repeated = await store.commit(commit);
      expect(repeated).toEqual(model.commit(commit));
      if (!isRepeatable(commit)) return;
      expect(repeated.status).toBe('refused');
      outcomes.add('twice');
      return;
    }
    case 'deliver': {
      const source = { ...step.source, partition: { ...step.source.partition, context } };
      const entries = await deliver(harness, source, step.group, step.limit);
      const messages = model.deliver(source, step.group, step.limit);
      expect(entries.map(textOf)).toEqual(messages.map(({ text }) => text));
      messages.forEach((message, i) => {
        message.id ??= entries[i]!.id;
        expect(entries[i]!.id).toBe(message.id);
      });
      return;
    }
    case 'fire': {
      const fired = await fireTimers(store, { ...step.partition, context }, step.now, step.limit);
      expect(fired).toEqual(model.fireTimers(step.partition, step.now, step.limit));
    }
  }
}
