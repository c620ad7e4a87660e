import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linesOf } from './lines-of.js';

describe('the benchmark of the event store', () => {
  it.each([
    'append 1 event, expected version; 100 writers',
    'load an aggregate of 100 events, by position; 16 readers',
    'replay through a projection; one row of each partition',
  ])(
    'measures %s, beside hand-written code',
    async (name) => {
      const lines = await linesOf('event-store', '--events', '2000', '--only', name);
      expect(lines.map((line) => [line.suite, line.case, line.value > 0, line.ratio! > 0])).toEqual([
        ['event-store', name, true, true],
      ]);
    },
    120_000,
  );

  it('plots times by the number of events', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
    try {
      const figure = join(folder, 'figures', 'growth.svg');
      const lines = await linesOf('event-store', '--growth', '--events', '10000', '--figure', figure);
      expect(lines.map(({ unit, value }) => [unit, value > 0])).toEqual([
        ['µs', true],
        ['µs', true],
        ['events/s', true],
        ['bytes', true],
      ]);
      expect(await readFile(figure, 'utf8')).toMatch(/^<svg .*append with expected version.*<\/svg>\n$/s);
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 120_000);
});
