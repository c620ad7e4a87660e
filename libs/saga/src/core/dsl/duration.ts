import { ConfigurationError } from '@millrace/broker';
import ms from 'ms';
import type { StringValue } from 'ms';

/** A length of time: milliseconds, or a text of the `ms` library such as `'10s'`, `'1.5h'`, `'2 days'`. */
export type Duration = number | StringValue;

/**
 * A duration in milliseconds.
 *
 * @param what what it is for, as the subject of the error
 * @throws ConfigurationError unless it is a positive, finite length of time
 */
export function milliseconds(duration: Duration, what: string): number {
  const length: number | undefined = typeof duration === 'number' ? duration : ms(duration);
  if (length === undefined || !Number.isFinite(length) || length <= 0) {
    throw new ConfigurationError(
      `${what} is ${JSON.stringify(duration)}: write a positive number of milliseconds or a text such as '10s'`,
    );
  }
  return length;
}
