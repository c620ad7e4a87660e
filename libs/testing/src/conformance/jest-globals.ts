import type * as jest from '@jest/globals';

/**
 * What the test runner has made global, with types. Importing '@jest/globals' itself throws outside of Jest, so it would
 * close this library to programs that only want a Redis from it.
 */
export const { afterAll, beforeAll, describe, expect, it } = globalThis as unknown as typeof jest;
