import { ConfigurationError } from '@millrace/broker';

/**
 * A decision needs to know what the code of a saga does, and it has not been run to there: what is asked for at once takes a moment.
 * Thrown through the decision, which is made again when the code has been run.
 */
export class NotPlayed extends ConfigurationError {
  /** @param play runs the code to there */
  constructor(
    saga: string,
    readonly play: () => Promise<void>,
  ) {
    super(
      `saga '${saga}' is written as code, which takes a moment to run: use await scenario(saga, (saga) => ...), ` +
        'or decide() in place of next()',
    );
  }
}
