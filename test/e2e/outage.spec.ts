import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { InMemoryPartitionStore, StoreUnavailableError, UnknownOutcomeError } from '@millrace/broker';
import { createApp } from '@shop/catalog';
import request from 'supertest';

describe('a service without its store', () => {
  it('answers 503 and tells nothing about the inside', async () => {
    const store = new InMemoryPartitionStore();
    const app = await createApp({ store, logger: false });
    await app.init();
    const http = () => request(app.getHttpServer());
    const mug = { sku: 'mug', name: 'Mug', price: { amount: 990, currency: 'EUR' }, stock: 5 };
    for (const error of [new StoreUnavailableError('no route to 10.0.0.7'), new UnknownOutcomeError('lost')]) {
      const commit = jest.spyOn(store, 'commit').mockRejectedValue(error);
      const { body } = await http().post('/products').send(mug).expect(503);
      expect(body).toEqual({
        statusCode: 503,
        message: 'the store does not answer, try again with the same request',
        errors: [],
      });
      commit.mockRestore();
    }
    const inspect = jest.spyOn(store, 'inspect').mockRejectedValue(new StoreUnavailableError('no route to 10.0.0.7'));
    const { body: health } = await http().get('/health').expect(503);
    expect(health).toMatchObject({
      statusCode: 503,
      details: { store: { status: 'down', message: 'does not answer' } },
    });
    inspect.mockRestore();

    jest.spyOn(store, 'readRows').mockRejectedValue(new Error('secret'));
    await http().get('/products').expect(500, { statusCode: 500, message: 'internal error', errors: [] });
    jest.restoreAllMocks();
    await app.close();
  });

  it.each([
    [
      'catalog',
      { REDIS_URL: 'redis://127.0.0.1:1' },
      /^catalog cannot start: no Redis answers at redis:\/\/127\.0\.0\.1:1/,
    ],
    ['order', { REDIS_URL: 'redis://:secret@127.0.0.1:1' }, /^order cannot start: no Redis answers/],
    ['payment', { REDIS_URL: process.env.TEST_REDIS_URL, PORT: 'http' }, /^payment cannot start: PORT is 'http'/],
    [
      'orchestrator',
      { REDIS_URL: process.env.TEST_REDIS_URL, MILLRACE_NAMESPACE: '{x}' },
      /^orchestrator cannot start: namespace/,
    ],
  ])('says in one sentence why %s cannot start, and exits with 1', async (name, env, sentence) => {
    const main = fileURLToPath(new URL(`../../apps/${name}/dist/main.js`, import.meta.url));
    const child = spawn(process.execPath, [main], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(code).toBe(1);
    expect(said.trim().split('\n')).toEqual([expect.stringMatching(sentence)]);
    expect(said).not.toContain('secret');
  });
});
