import { InMemorySubjectKeys, RedisSubjectKeys } from '@millrace/broker';
import { describeSubjectKeys } from '@millrace/testing';
import { freshNamespace, redisUrl } from '../support/redis.js';

describeSubjectKeys('InMemorySubjectKeys', () => new InMemorySubjectKeys());
describeSubjectKeys('RedisSubjectKeys', () => new RedisSubjectKeys({ url: redisUrl(), namespace: freshNamespace() }));
