import { RedisSubjectKeys } from '@millrace/broker';
import { describeSubjectKeys } from '@millrace/testing';
import { PrivateCluster } from '../support/cluster.js';
import { freshNamespace } from '../support/redis.js';

let cluster: PrivateCluster;
beforeAll(async () => {
  cluster = await PrivateCluster.start();
}, 30_000);
afterAll(() => cluster.stop());

describeSubjectKeys(
  'RedisSubjectKeys on a cluster',
  () => new RedisSubjectKeys({ cluster: cluster.addresses, namespace: freshNamespace() }),
);
