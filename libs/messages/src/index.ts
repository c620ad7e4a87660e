export * from './contract.js';
export * from './envelope.js';
export * from './codec.js';
export * from './validation.js';
export * from './message-error.js';
export * from './revive.js';
