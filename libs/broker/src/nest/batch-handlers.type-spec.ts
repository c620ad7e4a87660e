import { Event } from '@millrace/messages';
import type { BatchContext } from '../core/batch.js';
import type { MessageContext } from '../core/handler.js';
import { On } from './handler-decorators.js';

@Event('shop.opened')
class Opened {
  name!: string;
}

@Event('shop.closed')
class Closed {
  at!: number;
}

const batch = { group: 'mailer', batch: { size: 100, waitMs: 10 } };

export class Handlers {
  @On(Opened, batch)
  many(_events: Opened[], _context: BatchContext): void {
    // Takes many.
  }

  @On(Opened, { batch: 100 })
  async readonlyMany(_events: readonly Opened[]): Promise<void> {
    // Takes many.
  }

  @On(Opened, { group: 'mailer' })
  one(_event: Opened, _context: MessageContext): void {
    // Takes one.
  }

  // @ts-expect-error -- batches come as arrays
  @On(Opened, batch)
  oneOfBatch(_event: Opened): void {
    // Takes one.
  }

  // @ts-expect-error -- arrays of another event
  @On(Opened, batch)
  others(_events: Closed[]): void {
    // Takes others.
  }

  // @ts-expect-error -- without batch they come one by one
  @On(Opened)
  manyOfOne(_events: Opened[]): void {
    // Takes many.
  }

  // @ts-expect-error -- events have no replies
  @On(Opened, batch)
  answer(_events: Opened[]): Closed {
    return new Closed();
  }
}
