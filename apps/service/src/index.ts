export * from './create-service.js';
export * from './field-error.js';
export * from './ledger.controller.js';
export * from './ledger.js';
export * from './own-writes.js';
export * from './run-service.js';
export * from './service-options.js';
export * from './service.module.js';
