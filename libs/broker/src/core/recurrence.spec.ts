import { ConfigurationError } from './errors.js';
import { nextOccurrence, occurrences, recurrence } from './recurrence.js';

const at = (text: string): number => Date.parse(text);
const NOW = at('2026-03-28T12:00:00Z');

describe('a recurrence', () => {
  it('is read in its time zone, UTC unless it names one', () => {
    const next = (cron: string, timeZone?: string) =>
      new Date(nextOccurrence(recurrence({ cron, ...(timeZone ? { timeZone } : {}) }, NOW), NOW)!).toISOString();
    expect(next('*/5 * * * *')).toBe('2026-03-28T12:05:00.000Z');
    expect(next('30 18 * * *')).toBe('2026-03-28T18:30:00.000Z');
    expect(next('30 18 * * *', 'America/New_York')).toBe('2026-03-28T22:30:00.000Z');
    expect(next('*/10 * * * * *')).toBe('2026-03-28T12:00:10.000Z');
    expect(next('@daily')).toBe('2026-03-29T00:00:00.000Z');
  });

  it('follows the clocks of its zone through the changes of summer time', () => {
    const nightly = recurrence({ cron: '30 2 * * *', timeZone: 'Europe/Berlin' }, NOW);
    const following = (from: string, count: number): string[] => {
      const times: number[] = [];
      for (let last = at(from); times.length < count; last = times.at(-1)!) times.push(nextOccurrence(nightly, last)!);
      return times.map((time) => new Date(time).toISOString());
    };
    // 29 March has no 02:30: it comes at 03:00, which is 01:00 UTC.
    expect(following('2026-03-27T12:00:00Z', 3)).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
    // 25 October has two of them, the first one counts.
    expect(following('2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z']);
  });

  it.each([
    ['x', undefined, /'x' is no schedule/],
    ['61 * * * *', undefined, /Invalid value for minute/],
    ['* * * *', undefined, /is no schedule/],
    ['', undefined, /is no schedule/],
    ['2030-01-01T00:00:00', undefined, /give it as \{ at \}/],
    ['0 0 30 2 *', undefined, /never occurs/],
    ['* * * * *', 'Mars/Olympus', /time zone 'Mars\/Olympus' is not known/],
  ])('that means nothing is an error: %s %s', (cron, timeZone, message) => {
    const options = { cron, ...(timeZone === undefined ? {} : { timeZone }) };
    expect(() => recurrence(options, NOW)).toThrow(ConfigurationError);
    expect(() => recurrence(options, NOW)).toThrow(message);
  });

  it('with a policy that does not exist is an error', () => {
    expect(() => recurrence({ cron: '* * * * *', missed: 'twice' as never }, NOW)).toThrow(/'once', 'skip', 'all'/);
  });
});

describe('occurrences that were missed', () => {
  const hourly = (missed: 'once' | 'skip' | 'all') => recurrence({ cron: '0 * * * *', missed }, NOW);
  const due = at('2026-03-28T13:00:00Z');
  const later = at('2026-03-28T15:30:00Z');
  const next = at('2026-03-28T16:00:00Z');

  it('are one, unless the schedule says otherwise', () => {
    expect(recurrence({ cron: '0 * * * *' }, NOW).missed).toBe('once');
    expect(occurrences(hourly('once'), due, later)).toEqual({ fire: [due], next });
  });

  it('are left out, but not for a minute', () => {
    expect(occurrences(hourly('skip'), due, later)).toEqual({ fire: [], next });
    expect(occurrences(hourly('skip'), due, due + 60_000)).toEqual({ fire: [due], next: at('2026-03-28T14:00:00Z') });
  });

  it('all come, a hundred at once', () => {
    expect(occurrences(hourly('all'), due, later)).toEqual({ fire: [due, due + 3_600_000, due + 7_200_000], next });
    const days = occurrences(hourly('all'), due, due + 1_000 * 3_600_000);
    expect(days.fire).toHaveLength(100);
    expect(days.next).toBe(due + 100 * 3_600_000);
  });
});
