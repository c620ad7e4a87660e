/** What a line of a script throws that does not hold. */
export class Wrong extends Error {
  /** @param caller the method of the script: the stack begins at the line that calls it */
  constructor(message: string, caller: Caller) {
    super(message);
    this.name = 'Error';
    Error.captureStackTrace(this, caller);
  }
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- as captureStackTrace declares it
export type Caller = Function;
