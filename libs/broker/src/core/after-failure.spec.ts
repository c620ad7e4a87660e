import { MessageError } from '@millrace/messages';
import { afterFailure } from './after-failure.js';
import { ConfigurationError, Defer, RetryableError } from './errors.js';
import { NonRetryableError } from './non-retryable-error.js';
import { DEFAULT_RETRY } from './retry-policy.js';

const NOW = 1_800_000_000_000;
const policy = { ...DEFAULT_RETRY, delayMs: 100, factor: 2, attempts: 3 };
const after = (error: unknown, attempts = 1, more = {}) =>
  afterFailure(error, attempts, { ...policy, ...more }, NOW, 0);

describe('after a failure', () => {
  it('a message is tried again, each time later, until its attempts are used up', () => {
    expect(after(new Error('x'), 1)).toEqual({ kind: 'again', due: NOW + 100, failed: true });
    expect(after(undefined, 2)).toEqual({ kind: 'again', due: NOW + 200, failed: true });
    expect(after(new Error('x'), 3)).toEqual({ kind: 'given-up', reason: 'handler-failed' });
  });

  it('it is tried again when the error says so, but not more often', () => {
    const error = new RetryableError('busy', { afterMs: 7_000 });
    expect(after(error)).toEqual({ kind: 'again', due: NOW + 7_000, failed: true });
    expect(after(new RetryableError('busy'))).toEqual({ kind: 'again', due: NOW + 100, failed: true });
    expect(after(error, 3)).toEqual({ kind: 'given-up', reason: 'handler-failed' });
  });

  it('it is given up at once when no attempt can help', () => {
    const errors = [new NonRetryableError('x'), new MessageError('invalid-data', 'x'), new ConfigurationError('x')];
    expect(errors.map((error) => after(error))).toEqual([
      { kind: 'given-up', reason: 'non-retryable' },
      { kind: 'given-up', reason: 'invalid-data' },
      { kind: 'given-up', reason: 'configuration' },
    ]);
  });

  it('it is given up with the code that the error gives, where that can be a reason', () => {
    class Declined extends NonRetryableError {
      override readonly code: string = 'card-declined';
    }
    class Misleading extends Declined {
      override readonly code = 'parked';
    }
    const reasons = [new NonRetryableError('x', { code: 'no-cover' }), new Declined('x'), new Misleading('x')].map(
      (error) => after(error),
    );
    expect(reasons).toEqual([
      { kind: 'given-up', reason: 'no-cover' },
      { kind: 'given-up', reason: 'card-declined' },
      { kind: 'given-up', reason: 'non-retryable' },
    ]);
    expect(() => new NonRetryableError('x', { code: 'crashed' })).toThrow(ConfigurationError);
  });

  it('the policy judges errors that do not say it themselves', () => {
    const retryIf = (error: unknown): boolean => !(error instanceof TypeError);
    expect(after(new TypeError('bug'), 1, { retryIf })).toEqual({ kind: 'given-up', reason: 'non-retryable' });
    expect(after(new Error('x'), 1, { retryIf })).toMatchObject({ kind: 'again' });
    const never = { retryIf: () => false };
    expect(after(new RetryableError('busy'), 1, never)).toMatchObject({ kind: 'again' });
    expect(after(Defer.forMs(1), 1, never)).toMatchObject({ kind: 'again' });
  });

  it('a message that is put off has not failed, however often', () => {
    expect(after(Defer.forMs(5_000), 99)).toEqual({ kind: 'again', due: NOW + 5_000, failed: false });
    expect(after(Defer.until(new Date(NOW + 1)), 1)).toEqual({ kind: 'again', due: NOW + 1, failed: false });
    expect(after(Defer.until(NOW - 1), 1)).toEqual({ kind: 'again', due: NOW - 1, failed: false });
  });

  it.each([Number.NaN, -1, Infinity])('a time of %p is refused where it is written', (ms) => {
    expect(() => Defer.forMs(ms)).toThrow(ConfigurationError);
    expect(() => Defer.until(ms)).toThrow(ConfigurationError);
    expect(() => new RetryableError('x', { afterMs: ms })).toThrow(ConfigurationError);
  });
});
