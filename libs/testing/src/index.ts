export * from './redis/index.js';
export { ended, spawnBound } from './process/bound-process.js';
