export * from './core/partition.js';
export * from './core/commit.js';
export * from './core/partition-store.js';
export * from './core/keys.js';
export * from './core/errors.js';
export * from './core/retry-policy.js';
export * from './core/clock.js';
