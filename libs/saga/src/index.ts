export * from './core/command-id.js';
export * from './core/definition.js';
export * from './core/duration.js';
export * from './core/reply-typing.js';
export * from './core/saga.js';
export * from './core/step.js';
