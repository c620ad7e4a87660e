import type { MessageErrorCode } from '@millrace/messages';
import type { TransformError } from '@millrace/transforms';
import { ConfigurationError } from './errors.js';

/** Why Millrace gives messages up. */
export type KnownReason =
  | MessageErrorCode
  | TransformError['code']
  /** The handler threw a `NonRetryableError` without a code, or `retryIf` said that no retry helps. */
  | 'non-retryable'
  | 'configuration'
  /** All attempts failed. */
  | 'handler-failed'
  /** Its process ended, each time that it was handled. */
  | 'crashed'
  /** It waits behind another one of its key. */
  | 'parked';

/** A reason as it stands in a letter: a known one, the code of a {@link NonRetryableError}, or a code of another version. */
export type DeadLetterReason = KnownReason | (string & Record<never, never>);

const KNOWN: Readonly<Record<KnownReason, true>> = {
  'invalid-type': true,
  undeclared: true,
  'not-json': true,
  'forbidden-key': true,
  'too-large': true,
  'too-deep': true,
  malformed: true,
  'unknown-type': true,
  'unsupported-version': true,
  'invalid-data': true,
  'async-schema': true,
  'no-json-schema': true,
  'unknown-route': true,
  'claim-missing': true,
  'no-data-subject': true,
  'no-subject-keys': true,
  'tampered-data': true,
  'transform-failed': true,
  'non-retryable': true,
  configuration: true,
  'handler-failed': true,
  crashed: true,
  parked: true,
};

/**
 * Refuses a misspelt reason, which would find nothing for ever: one that is a letter away from a known one. Any other may be a
 * code that this version does not know, whether or not a letter has it just now.
 *
 * @throws ConfigurationError that says which one is meant
 */
export function checkReason(reason: DeadLetterReason): void {
  if (Object.hasOwn(KNOWN, reason)) return;
  const meant = Object.keys(KNOWN).find((known) => isSlip(lettersOf(reason), lettersOf(known)));
  if (meant === undefined) return;
  throw new ConfigurationError(`no dead letter has the reason '${reason}': write '${meant}'`);
}

/**
 * Refuses a code that cannot be a reason of its own.
 *
 * @throws ConfigurationError for a known reason, for one that {@link checkReason} takes for a slip of it, and for what is no short word
 */
export function checkOwnReason(code: string): void {
  if (code === 'non-retryable') return;
  if (typeof code !== 'string' || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(code) || code.length > 64) {
    throw new ConfigurationError(
      `code ${JSON.stringify(code)}: write lowercase letters and digits, words with '-' between them, at most 64 characters`,
    );
  }
  const known = Object.keys(KNOWN).find((each) => each === code || isSlip(lettersOf(code), lettersOf(each)));
  if (known === undefined) return;
  throw new ConfigurationError(`code '${code}': '${known}' is a reason of Millrace's own, write another word`);
}

/** Whether a letter may have it as its reason. */
export function isOwnReason(code: unknown): code is string {
  try {
    checkOwnReason(code as string);
    return true;
  } catch {
    return false;
  }
}

function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[^a-z]/g, '');
}

/** Whether one letter is missing, too many or another one, or two are swapped. */
function isSlip(written: string, meant: string): boolean {
  let same = 0;
  while (same < written.length && written[same] === meant[same]) same++;
  const [a, b] = [written.slice(same), meant.slice(same)];
  const isSwapped = a.length > 1 && a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
  return isSwapped || a === b.slice(1) || a.slice(1) === b || a.slice(1) === b.slice(1);
}
