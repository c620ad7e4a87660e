import type { EnvelopeInit } from '@millrace/messages';
import { ConfigurationError } from './errors.js';

/** Names of effects: what undoes one is accepted before, after and instead of what has it. */
export interface EffectOptions {
  /**
   * Names the effect of the command, any text, so that it can be undone: from then on a command with this effect is not
   * handled any more. Give what undoes it the same `key`. Default: none.
   */
  readonly effect?: string;
  /** The effect that the command undoes. Default: none. */
  readonly undoes?: string;
}

/** @throws ConfigurationError for an effect without a name, and for a command that undoes itself */
export function effectAttributes({ effect, undoes }: EffectOptions): Partial<EnvelopeInit> {
  if (effect === undefined && undoes === undefined) return {};
  checkEffect('effect', effect);
  checkEffect('undoes', undoes);
  if (effect === undoes) {
    throw new ConfigurationError(
      `a command has the effect '${effect}' and undoes it: one command does, another undoes`,
    );
  }
  return {
    ...(effect === undefined ? {} : { effectid: effect }),
    ...(undoes === undefined ? {} : { undoes }),
  };
}

function checkEffect(option: string, name: unknown): void {
  if (name === undefined || (typeof name === 'string' && name !== '')) return;
  throw new ConfigurationError(`${option}: ${JSON.stringify(name)} must be a text that names an effect`);
}
