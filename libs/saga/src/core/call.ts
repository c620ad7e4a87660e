/** What a local function of a saga is told about its call. */
export interface Call<Item = unknown> {
  /** The item of the list, inside `each`. */
  readonly item: Item;
  /**
   * The same for every attempt, and for every repetition after a crash: hand it to whatever the function changes, which then
   * can tell a repetition from a new request.
   */
  readonly idempotencyKey: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Aborted at the deadline of the attempt, and when the process stops. */
  readonly signal: AbortSignal;
}

/** What a local function answers when it says no: it has done nothing, and the saga turns round. */
export class Refused {
  constructor(readonly reason: string) {}
}

/** The answer of a local function that says no. */
export function refused(reason: string): Refused {
  return new Refused(reason);
}
