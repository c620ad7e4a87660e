export * from './found-redis.js';
export { type FindRedisOptions, findRedis } from './find-redis.js';
