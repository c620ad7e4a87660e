import { PassThrough } from 'node:stream';
import type { Redis } from 'ioredis';
import { ReplyTap } from './reply-tap.js';

const ENTRY = '*1\r\n*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$3\r\n0-1\r\n*2\r\n$5\r\nevent\r\n$2\r\n{}\r\n';
const READ = [['k', [['0-1', ['event', '{}']]]]];

/** A client whose commands are answered with the lines that it receives, the first with the first. */
function client() {
  const stream = new PassThrough();
  const received: string[] = [];
  const commands: ((answer: string) => void)[] = [];
  stream.on('data', (chunk: Buffer) => {
    received.push(chunk.toString());
    commands.shift()?.(chunk.toString());
  });
  const redis = { stream } as unknown as Redis;
  const tap = new ReplyTap(redis, () => new Promise((resolve) => commands.push(resolve)));
  const answer = async (read: Promise<unknown>, ...bytes: string[]): Promise<unknown> => {
    for (const each of bytes) stream.write(each);
    return read;
  };
  return { stream, received, tap, answer };
}

/** One that has had its first answer. */
async function tapped() {
  const all = client();
  await all.answer(all.tap.read('XREAD', []), '*-1\r\n');
  all.received.length = 0;
  return all;
}

describe('reads of a connection', () => {
  it('leave the first reply to the client', async () => {
    const { tap, answer } = client();
    expect(await answer(tap.read('XREAD', []), ENTRY)).toBe(ENTRY);
  });

  it('take what comes later, of which the client sees that there is nothing', async () => {
    const { tap, answer, received } = await tapped();
    expect(await answer(tap.read('XREAD', []), ENTRY)).toEqual(READ);
    expect(received).toEqual(['*-1\r\n']);
  });

  it('take it in pieces', async () => {
    const { tap, answer } = await tapped();
    expect(await answer(tap.read('XREAD', []), ...ENTRY)).toEqual(READ);
  });

  it.each(['-NOGROUP no such group\r\n', '*-1\r\n'])('leave %j to the client', async (reply) => {
    const { tap, answer } = await tapped();
    expect(await answer(tap.read('XREADGROUP', []), reply)).toBe(reply);
  });

  it('leave what follows their reply to the client', async () => {
    const { tap, answer, received } = await tapped();
    const read = tap.read('XREAD', []);
    const other = tap.send('XGROUP', []);
    expect(await answer(read, `${ENTRY}+OK\r\n`)).toEqual(READ);
    expect(await other).toBe('+OK\r\n');
    expect(received).toEqual(['*-1\r\n', '+OK\r\n']);
  });

  it('leave everything to the client while another command is under way', async () => {
    const { tap, answer } = await tapped();
    const other = tap.send('XGROUP', []);
    const read = tap.read('XREAD', []);
    expect(await answer(other, '+OK\r\n')).toBe('+OK\r\n');
    expect(await answer(read, ENTRY)).toBe(ENTRY);
  });

  it('leave everything to the client when somebody else listens, too', async () => {
    const { tap, answer, stream } = client();
    stream.on('data', () => undefined);
    await answer(tap.read('XREAD', []), '*-1\r\n');
    expect(await answer(tap.read('XREAD', []), ENTRY)).toBe(ENTRY);
  });

  it('break the connection at a reply that is none of streams', async () => {
    const { tap, stream } = await tapped();
    const broken = new Promise((resolve) => stream.on('error', resolve));
    void tap.read('XREAD', []);
    stream.write('*1\r\n:7\r\n');
    expect((await broken) as Error).toMatchObject({ message: 'Redis answered a read with RESP type 58' });
  });
});
