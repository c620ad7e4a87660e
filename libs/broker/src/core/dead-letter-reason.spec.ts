import { checkReason } from './dead-letter-reason.js';

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
