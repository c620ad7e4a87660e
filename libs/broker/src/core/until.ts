import { StoreUnavailableError } from './errors.js';

/**
 * The values until they end or the signal comes; then their source is told to stop.
 *
 * @throws StoreUnavailableError when the signal comes first: nothing is decided yet, and the message comes again
 */
export async function* until<T>(replies: AsyncIterable<T>, over: AbortSignal): AsyncGenerator<T> {
  const iterator = replies[Symbol.asyncIterator]();
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new StoreUnavailableError('the service stops before all replies were given'));
    over.addEventListener('abort', stop, { once: true });
    if (over.aborted) stop();
  });
  stopped.catch(() => undefined);
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), stopped]);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    over.removeEventListener('abort', stop);
    // A generator that waits for something would answer only when that has come.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
