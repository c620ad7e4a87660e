import type { DemoOptions } from './options.js';
import { readOptions } from './options.js';

function read(...args: string[]) {
  let [out, err] = ['', ''];
  const options = readOptions(args, { out: (text) => (out += text), err: (text) => (err += text) });
  return { options, out, err };
}

describe('the command line', () => {
  it('places 60 orders by default, with a seed of its own', () => {
    const { options } = read();
    expect(options).toMatchObject({ orders: 60, kill: false, json: false, keep: false, inMemory: false });
    expect(Number.isInteger((options as DemoOptions).seed)).toBe(true);
  });

  it('reads every option', () => {
    const { options } = read('--orders', '300', '--seed=7', '--kill', '--json', '--keep');
    expect(options).toEqual({ orders: 300, seed: 7, kill: true, json: true, keep: true, inMemory: false });
    expect(read('--kill', '6').options).toMatchObject({ kill: 6 });
    expect(read('--in-memory').options).toMatchObject({ inMemory: true });
  });

  it('finds a running shop on this machine, or on the one that is named', () => {
    expect(read('--running').options).toMatchObject({ running: 'localhost' });
    expect(read('--running', 'shop.test').options).toMatchObject({ running: 'shop.test' });
  });

  it('explains itself on --help', () => {
    const { options, out } = read('--help');
    expect(options).toBe(0);
    for (const option of ['--orders', '--seed', '--kill', '--json', '--keep', '--in-memory', '--running']) {
      expect(out).toContain(option);
    }
  });

  it.each([
    ['--orders', '0'],
    ['--orders', '-1'],
    ['--orders', '1.5'],
    ['--orders', 'abc'],
    ['--orders', '100001'],
    ['--orders', ''],
    ['--orders'],
    ['--seed', 'x'],
    ['--seed', '4294967296'],
    ['--kill', '0'],
    ['--nonsense'],
    ['stray'],
    ['--running', 'http://x/'],
    ['--kill', '--in-memory'],
    ['--running', '--kill'],
    ['--running', '--keep'],
  ])('answers %s %s with usage and exit code 2', (...args) => {
    const { options, out, err } = read(...args);
    expect(options).toBe(2);
    expect(err).toMatch(/^error: (.|\n)*Usage: npm run demo --/);
    expect(out).toBe('');
  });
});
