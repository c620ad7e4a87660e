/** Tells the timer loop of a process of the timers that this process sets, so that it wakes in time for them. */
export class Alarm {
  private listener: ((due: number) => void) | undefined;
  /** The earliest that was set while nobody listened. */
  private unheard = Infinity;

  /** @param due ms since 1970 */
  set(due: number): void {
    if (this.listener) this.listener(due);
    else this.unheard = Math.min(this.unheard, due);
  }

  /** Calls the one listener for each timer, until the returned function is called. */
  onSet(listener: (due: number) => void): () => void {
    this.listener = listener;
    const { unheard } = this;
    this.unheard = Infinity;
    if (unheard < Infinity) listener(unheard);
    return () => (this.listener = undefined);
  }
}
