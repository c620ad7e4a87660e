import { instead } from './test/matrix/instead.mjs';

/** Spec files are TypeScript ES modules; libraries resolve to their sources, so a test needs no build of them. */
const libs = ['messages', 'transforms', 'broker', 'event-store', 'saga', 'testing'];
const other = instead();

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    ...(other ? { [other.pattern]: `${other.folder}/$1` } : {}),
    [`^@millrace/(${libs.join('|')})$`]: '<rootDir>/libs/$1/src/index.ts',
    '^@shop/service$': '<rootDir>/apps/service/src/index.ts',
    '^@shop/contracts/(.*)$': '<rootDir>/apps/contracts/src/$1.ts',
    '^@shop/(catalog|order|payment|orchestrator)$': '<rootDir>/apps/$1/src/app.module.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // Each in one file, as its package ships it: several hundred files less to read and compile for every spec file.
    '^class-validator$': '<rootDir>/node_modules/class-validator/bundles/class-validator.umd.js',
    '^rxjs(/operators)?$': '<rootDir>/node_modules/rxjs/dist/bundles/rxjs.umd.js',
  },
  modulePathIgnorePatterns: ['/dist/', '/test/fixtures/'],
  testPathIgnorePatterns: ['/node_modules/', '/test/fixtures/'],
  globalSetup: '<rootDir>/test/servers.setup.mjs',
  globalTeardown: '<rootDir>/test/servers.teardown.mjs',
  reporters: ['default', '<rootDir>/test/summary-reporter.mjs'],
  testSequencer: '<rootDir>/test/sequencer.mjs',
  testTimeout: 20_000,
  // One more than the cores of CI: many specs wait for processes of their own.
  maxWorkers: 3,
  // Every spec file leaves its modules behind: a worker that has gathered many is replaced. In one process they slow down all.
  workerIdleMemoryLimit: '1GB',
};
