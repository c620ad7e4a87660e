import type { DeadLetterFilter } from './dead-letter-view.js';
import { NonRetryableError } from './non-retryable-error.js';

const declined: NonRetryableError<'card-declined'> = new NonRetryableError('no', { code: 'card-declined' });
const code: 'card-declined' = declined.code;
void code;

const plain: NonRetryableError = new NonRetryableError('no', { cause: new Error('why') });
void plain;

/** A class of its own says the code once. */
class Declined extends NonRetryableError {
  override readonly code = 'card-declined';
}
const own: 'card-declined' = new Declined('no').code;
const filter: DeadLetterFilter = { reason: own };
void filter;

// @ts-expect-error a code is a text
void new NonRetryableError('no', { code: 402 });
// @ts-expect-error another code
const other: NonRetryableError<'card-declined'> = new NonRetryableError('no', { code: 'no-cover' });
void other;
