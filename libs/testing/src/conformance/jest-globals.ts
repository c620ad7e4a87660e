import type * as jest from '@jest/globals';

const runner = globalThis as unknown as typeof jest;

/**
 * What the test runner has made global, with types. Importing '@jest/globals' itself throws outside of Jest, so it would
 * close this library to programs that only want a Redis from it.
 */
export const afterAll: typeof jest.afterAll = runner.afterAll;
export const beforeAll: typeof jest.beforeAll = runner.beforeAll;
export const describe: typeof jest.describe = runner.describe;
export const expect: typeof jest.expect = runner.expect;
export const it: typeof jest.it = runner.it;
