import { describePartitionStore } from '@millrace/testing';
import { KeyBuilder, RedisPartitionStore } from '@millrace/broker';
import { Redis } from 'ioredis';
import { freshNamespace, redisUrl } from '../support/redis.js';

describePartitionStore('RedisPartitionStore', async () => {
  const namespace = freshNamespace();
  const keys = new KeyBuilder(namespace);
  const raw = new Redis(redisUrl());
  const store = await RedisPartitionStore.connect({ url: redisUrl(), namespace });
  return {
    store,
    appendRaw: async (source, fields) => {
      const id = await raw.xadd(keys.log(source), '*', ...fields);
      if (id === null) throw new Error('XADD wrote nothing');
      return id;
    },
    close: async () => {
      await store.close();
      raw.disconnect();
    },
  };
});
