import { describeAcknowledgements } from './acknowledgements.js';
import { describeCheckpoints } from './checkpoints.js';
import { describeClaims } from './claims.js';
import { describeCommitModel } from './commit-model.property.js';
import { describeCommitWrites } from './commit-writes.js';
import { describeConcurrentCommits } from './concurrent-commits.js';
import { describeConsumers } from './consumers.js';
import { describeContexts } from './contexts.js';
import { describeDeadLetters } from './dead-letters.js';
import { describeFeeds } from './feeds.js';
import { describeGroups } from './groups.js';
import { describeGuards } from './commit-guards.js';
import { afterAll, beforeAll, describe, expect, it } from './jest-globals.js';
import { describeLeases } from './leases.js';
import { describeIndexes } from './indexes.js';
import { describeMembers } from './members.js';
import { describeNames } from './names.js';
import { describeReaders } from './readers.js';
import { describeReplies } from './replies.js';
import { describeFollowers } from './followers.js';
import { describeRestoring } from './restoring.js';
import { describeRetention } from './retention.js';
import { describeRetentionModel } from './retention.property.js';
import { describeRetries } from './retries.js';
import { describeRowIndexes } from './row-indexes.js';
import type { StoreHarness } from './store-harness.js';
import { describeStreams } from './streams.js';
import { describeTimers } from './timers.js';
import { describeSurveys } from './surveys.js';
import { describeViews } from './views.js';

/**
 * Declares what every partition store must do, as Jest tests.
 *
 * All tests share the store of one harness, each in contexts of its own, so the store need not be empty.
 *
 * @example
 * describePartitionStore('memory', async () => {
 *   const store = new InMemoryPartitionStore();
 *   return { store, appendRaw: (source, fields) => store.append(source, fields), close: () => store.close() };
 * });
 */
export function describePartitionStore(name: string, open: () => Promise<StoreHarness>): void {
  describe(`A partition store in ${name}`, () => {
    let harness: StoreHarness | undefined;
    const subject = (): StoreHarness => harness!;

    beforeAll(async () => {
      harness = await open();
    });
    afterAll(() => harness?.close());

    describeContexts(subject);
    describeNames(subject);
    describeGuards(subject);
    describeCommitWrites(subject);
    describeStreams(subject);
    describeFeeds(subject);
    describeIndexes(subject);
    describeRestoring(subject);
    describeViews(subject);
    describeRowIndexes(subject);
    describeCheckpoints(subject);
    describeGroups(subject);
    describeConsumers(subject);
    describeAcknowledgements(subject);
    describeReaders(subject);
    describeReplies(subject);
    describeRetries(subject);
    describeLeases(subject);
    describeMembers(subject);
    describeRetention(subject);
    describeFollowers(subject);
    describeRetentionModel(subject);
    describeSurveys(subject);
    describeTimers(subject);
    describeDeadLetters(subject);
    describeConcurrentCommits(subject);
    describeClaims(subject);
    describeCommitModel(subject);

    it('says what it is', async () => {
      const report = await subject().store.inspect();
      expect(report.server).not.toBe('');
      expect(Array.isArray(report.warnings)).toBe(true);
    });

    it('closes more than once', async () => {
      const { store, close } = await open();
      await store.close();
      await store.close();
      await close();
    });
  });
}
