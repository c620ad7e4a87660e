import type { Envelope } from '@millrace/messages';
import type { MessageContext } from './handler.js';
import type { EntryRef } from './partition.js';

/** The context of one run of a handler. Its signal is made when somebody asks for it. */
export class HandlingContext implements MessageContext {
  private controller: AbortController | undefined;
  private reason: Error | undefined;

  /** @param stopping aborted when the service no longer waits for handlers that run */
  constructor(
    readonly envelope: Envelope,
    readonly entry: EntryRef,
    readonly attempt: number,
    private readonly stopping?: AbortSignal,
    readonly conflicts = 0,
  ) {}

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.reason) this.controller.abort(this.reason);
    }
    return this.stopping ? AbortSignal.any([this.controller.signal, this.stopping]) : this.controller.signal;
  }

  /** Tells the handler that it is no longer waited for. */
  abort(reason: Error): void {
    this.reason = reason;
    this.controller?.abort(reason);
  }
}
