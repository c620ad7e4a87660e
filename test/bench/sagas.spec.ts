import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linesOf } from './lines-of.js';

describe('the benchmark of sagas', () => {
  it('measures rates, CPU, script calls and times beside both hand-written programs', async () => {
    // The longer of the two cases, where all commands are undone.
    const lines = await linesOf('sagas', '--sagas', '20', '--in-flight', '10', '--only', 'refused');
    expect(new Set(lines.map(({ baseline }) => baseline))).toEqual(
      new Set(['by hand, the least', 'by hand, the same traffic']),
    );
    for (const by of ['by hand, the least', 'by hand, the same traffic']) {
      const own = lines.filter(({ baseline }) => baseline === by);
      const name = 'refused at step 3, two compensations; ';
      expect(own.map((line) => [line.case.replace(name, ''), line.unit])).toEqual([
        ['10 in flight', 'sagas/s'],
        ['CPU in all', 'µs/saga'],
        ['script calls', 'calls/saga'],
        ['acknowledgements', 'calls/saga'],
        ['p50, alone', 'ms'],
        ['p99, alone', 'ms'],
        ['p50, half load', 'ms'],
        ['p99, half load', 'ms'],
        ['p50, full load', 'ms'],
        ['p99, full load', 'ms'],
      ]);
      // The order, three commands and what undoes two of them, the rejection, and the replies, on all sides.
      expect(own[3]).toMatchObject({ value: 13, ratio: 1 });
    }
    expect(lines.filter(({ value, ratio }) => !(value > 0 && ratio! > 0))).toEqual([]);
  }, 600_000);

  it('measures times and memory by the number of waiting sagas, and plots the times', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
    try {
      const figure = join(folder, 'waiting.svg');
      const lines = await linesOf('sagas', '--waiting', '1000', '--figure', figure);
      expect(lines.map((line) => [line.case, line.unit, line.value > 0])).toEqual([
        ['1000 waiting: start another', 'µs', true],
        ['1000 waiting: find one by its id', 'µs', true],
        ['1000 waiting: find one by its key', 'µs', true],
        ['1000 waiting: memory of each', 'bytes', true],
      ]);
      expect(await readFile(figure, 'utf8')).toMatch(/^<svg .*find one by its id.*<\/svg>\n$/s);
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 240_000);

  it('refuses a peer that belongs to another suite, and says which ones it knows', async () => {
    await expect(linesOf('sagas', '--against', 'bullmq')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('sagas cannot be compared with bullmq, only with restate, dbos'),
    });
  });
});
