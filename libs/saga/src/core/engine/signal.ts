import type { CommandId } from '../command-id.js';

/** Something that happens to what is under way. */
export type Signal = Answer | Called | EventSignal | Wake | Intervention;

/** For the command that it answers. */
export interface Answer {
  readonly kind: 'reply';
  readonly answered: CommandId;
  readonly outcome: 'success' | 'failure';
  readonly type: string;
  readonly data: object;
}

/** A local function has answered, or failed. */
export interface Called {
  readonly kind: 'called';
  readonly answered: CommandId;
  readonly result: CallResult;
}

export type CallResult =
  | { readonly status: 'answered'; readonly value: unknown }
  /** It has done nothing. */
  | { readonly status: 'refused'; readonly reason: string }
  | { readonly status: 'failed'; readonly reason: string; readonly retryable: boolean };

/** For all who wait for it. */
export interface EventSignal {
  readonly kind: 'event';
  readonly type: string;
  readonly data: object;
}

/** For everything that is due. */
export interface Wake {
  readonly kind: 'wake';
}

/** A person decides how a step that is stuck goes on. */
export interface Intervention {
  readonly kind: 'intervene';
  /** `retry`: tried again; `skip`: left as it is; `resolve`: somebody has done it. */
  readonly what: 'retry' | 'skip' | 'resolve';
}

/** What a signal without an address is given. */
export const EVERYWHERE: readonly string[] = [];
