export * from './contract.js';
export * from './envelope.js';
export * from './codec.js';
export * from './validation.js';
export * from './message-error.js';
export * from './revive.js';
export { Schema } from './schema.js';
export type { SchemaClass, UnfitSchema } from './schema.js';
