import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisPartitionStore } from '@millrace/broker';
import { Command } from '@millrace/messages';
import { eventually, freshNamespace, onTestFinished } from '../support/redis.js';
import { serverProcess } from '../support/server-process.js';
import { siteIn } from '../support/site.js';

const [cert, key] = ['cert', 'key'].map((name) =>
  readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), 'utf8'),
) as [string, string];

@Command('work.do')
class Do {
  n!: number;
}

describe('over TLS', () => {
  /** A server that only speaks TLS. Its files are where it can read them, whichever it is. */
  async function encrypted(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-tls-'));
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await writeFile(certFile, cert);
    await writeFile(keyFile, key);
    const { port } = await serverProcess((port) => ({
      ...{ port: 0, 'tls-port': port, 'tls-auth-clients': 'no' },
      ...{ 'tls-cert-file': certFile, 'tls-key-file': keyFile },
    }));
    return `rediss://127.0.0.1:${port}`;
  }

  it('messages are sent and handled, also by readers that wait', async () => {
    const url = await encrypted();
    const options = { url, namespace: freshNamespace(), options: { tls: { ca: cert } } };
    const store = await eventually(() => RedisPartitionStore.connect(options));
    onTestFinished(() => store.close());
    const site = siteIn(store);
    const handled: number[] = [];
    await site.start({ 'work.do': ({ n }: { n: number }) => void handled.push(n) });
    await site.publisher.send(Object.assign(new Do(), { n: 1 }));
    await eventually(() => expect(handled).toEqual([1]));
    await eventually(async () => expect(await site.open()).toBe(0));
  });

  it('a service says that it does not know who signed the certificate', async () => {
    const url = await encrypted();
    await eventually(() =>
      expect(RedisPartitionStore.connect({ url })).rejects.toThrow(
        /^Redis at rediss:\/\/127\.0\.0\.1:\d+ has a certificate that is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\): give redis\.options\.tls\.ca/,
      ),
    );
  });
});
