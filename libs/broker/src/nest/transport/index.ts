export type { BusOptions } from './bus.js';
export { RedisStreamsStatus } from './bus-status.js';
export type { RedisStreamsEvents } from './bus-status.js';
export * from './redis-streams.context.js';
export { RedisStreamsExceptionFilter } from './redis-streams-exception.filter.js';
export * from './redis-streams-client.js';
export * from './redis-streams-record.js';
export * from './redis-streams-server.js';
