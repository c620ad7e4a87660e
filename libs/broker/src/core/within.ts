/** Node fires longer timers at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Settles as the work does, or rejects with what `expire` makes when that takes too long. */
export function within<T>(ms: number, work: Promise<T>, expire: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(expire()), Math.min(ms, LONGEST_TIMER_MS));
    void work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
