import type { Observable } from 'rxjs';

/**
 * What a handler gave as an Observable: its value when it completes with the only one at once, as every Observable of
 * Nest's pipeline does that began as a plain value; undefined when it completes with none; else all values as they come.
 */
export function observedReplies<T>(source: Observable<T>): Promise<T | AsyncIterable<T> | undefined> {
  return new Promise((resolve, reject) => {
    const values = new ObservedValues<T>();
    const subscription = source.subscribe({
      next: (value) => {
        values.push(value);
        if (values.count === 1) queueMicrotask(() => resolve(values.isSingle ? value : values));
      },
      error: (error: unknown) => {
        values.end({ error });
        if (values.count === 0) reject(error as Error);
      },
      complete: () => {
        values.end({});
        if (values.count === 0) resolve(undefined);
      },
    });
    values.unsubscribe = () => subscription.unsubscribe();
  });
}

/** Values that are produced whether or not somebody is ready for the next one. */
class ObservedValues<T> implements AsyncIterableIterator<T> {
  count = 0;
  unsubscribe = (): void => undefined;
  private readonly waiting: T[] = [];
  private ended: { readonly error?: unknown } | undefined;
  private wake = (): void => undefined;

  get isSingle(): boolean {
    return this.count === 1 && this.ended !== undefined && !('error' in this.ended);
  }

  push(value: T): void {
    this.count++;
    this.waiting.push(value);
    this.wake();
  }

  end(how: { readonly error?: unknown }): void {
    this.ended ??= how;
    this.wake();
  }

  async next(): Promise<IteratorResult<T>> {
    while (this.waiting.length === 0 && !this.ended) await new Promise<void>((resolve) => (this.wake = resolve));
    if (this.waiting.length > 0) return { done: false, value: this.waiting.shift()! };
    if (this.ended && 'error' in this.ended) throw this.ended.error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<T>> {
    this.waiting.length = 0;
    this.end({});
    this.unsubscribe();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
