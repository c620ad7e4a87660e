import type { Envelope } from '@millrace/messages';
import type { MessageContext } from './handler.js';
import { LazySignal } from './lazy-signal.js';
import type { EntryRef } from './partition.js';

/** The context of one run of a handler. Its signal is made when somebody asks for it. */
export class HandlingContext implements MessageContext {
  private over: LazySignal | undefined;
  private isGivenUp = false;

  /** @param stopping aborted when the service no longer waits for handlers that run */
  constructor(
    readonly envelope: Envelope,
    readonly entry: EntryRef,
    readonly attempt: number,
    private readonly stopping?: AbortSignal,
    readonly conflicts = 0,
  ) {}

  get signal(): AbortSignal {
    return this.lazy.signal;
  }

  get isAborted(): boolean {
    return this.isGivenUp || this.stopping?.aborted === true;
  }

  /** Tells the handler that it is no longer waited for. */
  abort(reason: Error): void {
    this.isGivenUp = true;
    this.lazy.abort(reason);
  }

  private get lazy(): LazySignal {
    return (this.over ??= new LazySignal(() => (this.stopping ? [this.stopping] : [])));
  }
}
