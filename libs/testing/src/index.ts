export * from './redis/index.js';
export { ended, spawnBound } from './process/bound-process.js';
export { describePartitionStore } from './conformance/describe-partition-store.js';
export type { StoreHarness } from './conformance/store-harness.js';
export * from './golden/golden-history.js';
