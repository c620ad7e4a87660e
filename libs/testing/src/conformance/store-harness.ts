import { randomUUID } from 'node:crypto';
import type { Partition, PartitionStore, Source } from '@millrace/broker';

/** One adapter under test. */
export interface StoreHarness {
  readonly store: PartitionStore;
  /** Adds an entry past the port, as somebody with a Redis shell does. Answers its id. */
  appendRaw(source: Source, fields: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** The adapter, for the tests of one capability: open while they run, not while they are declared. */
export type Subject = () => StoreHarness;

/** A context that no other test has, so that tests share a store without emptying it. */
export function freshContext(): string {
  return `test-${randomUUID()}`;
}

export function freshPartition(): Partition {
  return { context: freshContext(), index: 0 };
}

export function inboxOf(partition: Partition): Source {
  return { partition, log: 'in' };
}

export function feedOf(partition: Partition): Source {
  return { partition, log: 'feed' };
}
