export * from './transform.js';
export * from './pipeline.js';
