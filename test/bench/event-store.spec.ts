import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linesOf } from './lines-of.js';

describe('the benchmark of the event store', () => {
  it('measures appends, loads, replays and bytes, beside hand-written code where there is some', async () => {
    const lines = await linesOf('event-store', '--events', '2000');
    expect(lines.map((line) => line.case)).toEqual([
      'append 1 event, expected version; 100 writers',
      'append 10 events, expected version; 100 writers',
      'append 1 event, expected version, chained; 100 writers',
      'load an aggregate of 100 events; 16 readers',
      'load an aggregate of 100 events, by position; 16 readers',
      'replay through a projection; one row of each partition',
      'replay through a projection; 1000 rows',
      'bytes of an event, 1 of a stream',
      'bytes of an event, 10 of a stream',
      'bytes of an event, 100 of a stream',
    ]);
    for (const { suite, value } of lines) expect([suite, value > 0]).toEqual(['event-store', true]);
    expect(lines.filter(({ unit, ratio }) => unit !== 'bytes' && !(ratio! > 0))).toEqual([]);
  }, 120_000);

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
