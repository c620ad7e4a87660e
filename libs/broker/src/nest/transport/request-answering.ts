import { isObservable } from 'rxjs';
import { StoreUnavailableError } from '../../core/errors.js';
import { until } from '../../core/until.js';
import { observedReplies } from '../observed-replies.js';
import type { PacketReplies } from './packet-replies.js';
import { saysHowToGoOn } from './redis-streams-exception.filter.js';

/**
 * Answers a request with what its handler gives: one value with the commit that settles the request, several as they come,
 * an error as Nest's own servers do.
 *
 * @param stopping aborted when the server closes: an answer of several values goes on elsewhere
 * @throws what says how to go on (RetryableError, NonRetryableError, Defer): then nothing has been decided
 */
export async function answerRequest(
  handler: () => Promise<unknown>,
  replies: PacketReplies,
  stopping: AbortSignal,
): Promise<void> {
  try {
    const result = await handler();
    const given = isObservable(result) ? await observedReplies(result) : result;
    if (!isSeveral(given, result)) return replies.end(given === undefined ? {} : { response: given });
    for await (const value of until(given, stopping)) if (!(await replies.next(value))) break;
    replies.end({});
  } catch (error) {
    if (error instanceof StoreUnavailableError && stopping.aborted) throw error;
    if (saysHowToGoOn(error)) throw error;
    replies.end({ err: error });
  }
}

/** An Observable with several values, not a value that can itself be iterated. */
function isSeveral(given: unknown, result: unknown): given is AsyncIterable<unknown> {
  return isObservable(result) && typeof given === 'object' && given !== null && Symbol.asyncIterator in given;
}
