import { describePartitionStore } from '@millrace/testing';
import { KeyBuilder, RedisPartitionStore } from '@millrace/broker';
import type { Commit } from '@millrace/broker';
import { Cluster } from 'ioredis';
import { PrivateCluster } from '../support/cluster.js';
import { freshNamespace } from '../support/redis.js';

let cluster: PrivateCluster;
beforeAll(async () => {
  cluster = await PrivateCluster.start();
}, 30_000);
afterAll(() => cluster.stop());

describePartitionStore('RedisPartitionStore on a cluster', async () => {
  const namespace = freshNamespace();
  const keys = new KeyBuilder(namespace);
  const raw = new Cluster(cluster.addresses);
  const store = await RedisPartitionStore.connect({ cluster: cluster.addresses, namespace });
  return {
    // A message for another partition arrives soon after its commit; the rules look at once.
    store: Object.assign(Object.create(store) as RedisPartitionStore, {
      commit: async (commit: Commit) => {
        const result = await store.commit(commit);
        await store.relay!(commit.partition);
        return result;
      },
    }),
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
