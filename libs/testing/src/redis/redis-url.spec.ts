import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { redisFromUrl } from './redis-url.js';

/** A server that answers every command with one line, as Redis would. */
function speaker(line: string | undefined): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => line !== undefined && socket.write(`${line}\r\n`));
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve({ server, port: (server.address() as AddressInfo).port })),
  );
}

describe('REDIS_URL', () => {
  it.each([
    ['-WRONGPASS invalid username-password pair or user is disabled.', /refuses the user or password/],
    ['-NOAUTH Authentication required.', /wants a password/],
    ['-LOADING Redis is loading the dataset in memory', /still loading/],
    [undefined, /does not answer/],
  ])('explains a server that says %s', async (line, explanation) => {
    const { server, port } = await speaker(line);
    const attempt = redisFromUrl(`redis://user:secret-word@127.0.0.1:${port}`, 200);
    await expect(attempt).rejects.toThrow(explanation);
    await attempt.catch((error: Error) => expect(error.message).not.toContain('secret-word'));
    server.close();
  });

  it('explains that nothing listens', async () => {
    const { server, port } = await speaker('');
    await new Promise((resolve) => server.close(resolve));
    await expect(redisFromUrl(`redis://127.0.0.1:${port}`)).rejects.toThrow(/nothing listens: start that Redis/);
  });

  it.each(['localhost:6379', 'not a url', 'http://127.0.0.1'])('refuses %s with the form it must have', async (url) => {
    await expect(redisFromUrl(url)).rejects.toThrow(/REDIS_URL .*redis:\/\//);
  });

  it('uses the server it names, and never stops it', async () => {
    const url = process.env.TEST_REDIS_URL!;
    const found = await redisFromUrl(url);
    expect(found).toMatchObject({ url, kind: 'url', version: expect.stringMatching(/^\d+\.\d+/) });
    await found.stop();
    await expect(redisFromUrl(url)).resolves.toBeDefined();
  });
});
