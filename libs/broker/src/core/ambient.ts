import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * A value that is found by everything that runs below a function, behind its awaits, too.
 *
 * Before Node 24, an AsyncLocalStorage in use makes every promise and every callback of the process dearer, whether or not it
 * has to do with it: about a quarter of what a message costs. So it is in use only while something runs that may still ask: for
 * the turn of the event loop in which a function is called, and until its promise has settled.
 */
export class Ambient<T> {
  private readonly storage = new AsyncLocalStorage<T>();
  private inUse = false;
  /** Promises of functions that have not settled. */
  private waiting = 0;

  get current(): T | undefined {
    return this.inUse ? this.storage.getStore() : undefined;
  }

  run<R, A extends unknown[]>(value: T, work: (...args: A) => R, ...args: A): R {
    if (!this.inUse) this.begin();
    const result = this.storage.run(value, work, ...args);
    if (typeof result === 'object' && result !== null) this.watch(result);
    return result;
  }

  private begin(): void {
    this.inUse = true;
    process.nextTick(this.rest);
  }

  private watch(result: object): void {
    if (result instanceof Promise) {
      this.waiting++;
      result.then(this.settled, this.settled);
      // What is begun by asking for it (a query builder) must not be asked twice: from now on it is always in use.
    } else if (typeof (result as { readonly then?: unknown }).then === 'function') this.waiting++;
  }

  private readonly settled = (): void => {
    this.waiting--;
    // Whoever waits for the same promise has their turn first.
    if (this.waiting === 0) process.nextTick(this.rest);
  };

  private readonly rest = (): void => {
    if (this.waiting > 0 || !this.inUse) return;
    this.inUse = false;
    this.storage.disable();
  };
}
