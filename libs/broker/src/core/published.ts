/** What became of a message. A handler may return it: it is no reply. */
export class Published {
  /** Of a delayed message: what the `Scheduler` knows it by, to cancel or to move it. */
  declare readonly scheduleId?: string;

  constructor(
    /** The message's id. */
    readonly id: string,
    /** True: a message with this id was published within the window, so this one was not written. */
    readonly duplicate: boolean,
    scheduleId?: string,
  ) {
    if (scheduleId !== undefined) this.scheduleId = scheduleId;
  }
}
