import { InMemoryPartitionStore, RedisPartitionStore } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { freshNamespace, redisUrl } from '../support/redis.js';
import { charges, chargesOn, closesTheAccount, exploreAll, exploreCode, playsCode } from './test-sagas.js';

describe('the code of the guide to tests of sagas', () => {
  it('plays scripts', () => {
    expect(charges()).toEqual({ customer: 'ann', account: 'a-1', receipt: 'r-1' });
    expect(closesTheAccount()).toMatchObject({ status: 'compensated', failure: { reason: 'moved away' } });
  });

  it('explores every way', () => {
    const result = exploreAll();

    expect(result.exhausted).toBe(true);
    expect(result.endings).toMatchObject({ completed: expect.any(Number), compensated: expect.any(Number) });
  });

  it('explores every way of code', async () => {
    const result = await exploreCode();

    expect(result.exhausted).toBe(true);
    expect(result.endings).toMatchObject({ completed: expect.any(Number), compensated: expect.any(Number) });
  });

  const stores: [string, () => PartitionStore][] = [
    ['memory', () => new InMemoryPartitionStore()],
    ['Redis', () => new RedisPartitionStore({ url: redisUrl(), namespace: freshNamespace() })],
  ];

  it.each(stores)('plays a script on %s', async (_, open) => {
    const store = open();
    try {
      expect(await chargesOn(store)).toMatchObject({ status: 'completed', state: { receipt: 'r-1' } });
      expect(await playsCode(store)).toEqual({ step: 'charge', reason: 'expired' });
    } finally {
      await store.close();
    }
  });
});
