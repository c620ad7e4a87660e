import { EventEmitter } from 'node:events';
import { Pool } from 'pg';
import { listenToErrors } from './listen-to-errors.js';

describe('a pool of connections to PostgreSQL', () => {
  it('survives the loss of a connection that is idle, or has just been made', () => {
    const pool = new Pool();
    listenToErrors(pool);
    listenToErrors(pool);
    const client = new EventEmitter();
    pool.emit('connect', client as never);
    expect(() => client.emit('error', new Error('terminating connection'))).not.toThrow();
    expect(() => pool.emit('error', new Error('terminating connection'), client as never)).not.toThrow();
    expect([pool.listenerCount('error'), pool.listenerCount('connect'), client.listenerCount('error')]).toEqual([
      1, 1, 1,
    ]);
  });
});
