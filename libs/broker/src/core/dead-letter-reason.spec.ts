import { checkOwnReason, checkReason, isOwnReason } from './dead-letter-reason.js';

describe('the reason of a filter', () => {
  it.each(['handler-failed', 'parked', 'invalid-data', 'card-declined', 'crash', 'x', ''])('passes: %j', (reason) => {
    expect(() => checkReason(reason)).not.toThrow();
  });

  it.each([
    ['handler-faild', 'handler-failed'],
    ['handlerFailed', 'handler-failed'],
    ['HANDLER_FAILED', 'handler-failed'],
    ['hanlder-failed', 'handler-failed'],
    ['invalid-date', 'invalid-data'],
    ['crasched', 'crashed'],
    ['parkd', 'parked'],
  ])('is refused when it is misspelt: %s', (reason, meant) => {
    expect(() => checkReason(reason)).toThrow(`no dead letter has the reason '${reason}': write '${meant}'`);
  });
});

describe('the code of a failure', () => {
  it.each(['card-declined', 'x', 'stock2', 'non-retryable'])('is a reason of its own: %s', (code) => {
    expect(() => checkOwnReason(code)).not.toThrow();
    expect(isOwnReason(code)).toBe(true);
    expect(() => checkReason(code)).not.toThrow();
  });

  it.each([
    ['parked', "'parked' is a reason of Millrace's own, write another word"],
    ['crashes', "'crashed' is a reason of Millrace's own, write another word"],
    ['', 'lowercase letters and digits'],
    ['Card declined', 'lowercase letters and digits'],
    ['card--declined', 'lowercase letters and digits'],
    ['x'.repeat(65), 'at most 64 characters'],
  ])('is refused where it would mislead: %s', (code, why) => {
    expect(() => checkOwnReason(code)).toThrow(why);
    expect(isOwnReason(code)).toBe(false);
  });

  it('is refused when it is no text', () => {
    expect(isOwnReason(undefined)).toBe(false);
  });
});
