import { ProjectionBehindError, Projections } from '@millrace/event-store';
import type { ProjectionClass } from '@millrace/event-store';
import { Injectable } from '@nestjs/common';

/** How long a request waits for a view that is behind, ms. */
const WAIT_MS = 1_000;

/** Lets whoever has written something read it in a view, which lags behind the events by milliseconds. */
@Injectable()
export class OwnWrites {
  constructor(private readonly projections: Projections) {}

  /**
   * What a look finds, or finds once the view has all that is stored now.
   *
   * @throws ProjectionBehindError when it does not get there in time: whether there is such a thing is not known then
   */
  async find<T>(view: ProjectionClass, look: () => Promise<T | undefined>): Promise<T | undefined> {
    const found = await look();
    if (found !== undefined) return found;
    await this.projections.waitFor(view, undefined, { timeoutMs: WAIT_MS });
    return look();
  }

  /** A list of a view that has all that is stored now; of one that stands still, as it is. */
  async list<T>(view: ProjectionClass, look: () => Promise<T>): Promise<T> {
    try {
      await this.projections.waitFor(view, undefined, { timeoutMs: WAIT_MS });
    } catch (error) {
      if (!(error instanceof ProjectionBehindError)) throw error;
    }
    return look();
  }
}
