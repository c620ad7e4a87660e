import { Command } from 'ioredis';
import type { Redis } from 'ioredis';
import { callFlat } from './flat-command.js';

type Args = (string | number)[];

/** What a connection is given for a command, write by write. */
function written(name: string, args: Args): string[] {
  const writes: string[] = [];
  const connection = { write: (text: string) => writes.push(text) };
  const redis = {
    options: {},
    sendCommand: (command: Command) => {
      connection.write((command as unknown as { toWritable(to: object): string }).toWritable(connection));
      return Promise.resolve();
    },
  };
  void callFlat(redis as unknown as Redis, name, args);
  return writes;
}

function asIoredisWrites(name: string, args: Args): string {
  return String(new Command(name, args as string[]).toWritable({} as never));
}

describe('a flat command', () => {
  it.each<[string, Args]>([
    ['no arguments', []],
    ['numbers', [1, -2.5, 1_796_059_714_731, Number.NaN]],
    ['empty ones', ['', 'a', '']],
    ['characters of several bytes', ['Grüße', '東京', '🙂', 'a']],
    ['a long one', ['x'.repeat(300_000), 'y']],
    ['many', Array.from({ length: 3_000 }, (_, i) => (i % 3 === 0 ? i : `größe-${i}-${'z'.repeat(i % 200)}`))],
  ])('is what ioredis writes, with %s', (_what, args) => {
    expect(written('SADD', args).join('')).toBe(asIoredisWrites('SADD', args));
  });

  it('is written at once when it is short', () => {
    expect(written('GET', ['a'])).toHaveLength(1);
  });

  it('goes out in pieces when it is long, none of which is one that V8 keeps in pages of its own', () => {
    const pieces = written(
      'EVALSHA',
      Array.from({ length: 2_000 }, (_, i) => `${i}`.padStart(100, '.')),
    );
    expect(pieces.length).toBeGreaterThan(10);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(32 * 1024);
  });

  it('lets go of its arguments when it is written, since its answer may be long in coming', () => {
    let sent: Command | undefined;
    const redis = { options: {}, sendCommand: (command: Command) => ((sent = command), Promise.resolve()) };
    void callFlat(redis as unknown as Redis, 'SADD', ['a', 'x'.repeat(100_000)]);
    sent!.toWritable({ write: () => true } as never);
    expect(sent!.args).toEqual([]);
  });
});
