import { parseCommandId } from '../command-id.js';
import type { Request } from '../scenario/played-saga.js';
import type { SagaAction, SagaInput } from '../transition.js';

/**
 * What the world knows of a step, whatever the saga thinks:
 * - `open`: asked for, perhaps done
 * - `done`
 * - `nothing`: refused, so nothing was done
 * - `undoing`: asked to be undone
 * - `undone`
 * - `left`: a person has seen to it
 */
export type Effect = 'open' | 'done' | 'nothing' | 'undoing' | 'undone' | 'left';

/** The effects of all steps that were asked for, by path. Plain JSON. */
export type Ledger = Readonly<Record<string, Effect>>;

/** What an input that the saga has taken says about an effect. */
export function afterInput(ledger: Ledger, input: SagaInput, parked: string | undefined): Ledger {
  if (input.kind === 'reply') return answered(ledger, input.inReplyTo, input.outcome === 'success', true);
  if (input.kind === 'called') {
    const { status } = input.result;
    return answered(ledger, input.callId, status === 'answered', status === 'refused');
  }
  const settled = input.kind === 'skip' || input.kind === 'resolve';
  return settled && parked !== undefined ? { ...ledger, [parked]: 'left' } : ledger;
}

/** What a saga asks for. */
export function afterActions(ledger: Ledger, actions: readonly SagaAction[]): Ledger {
  const entries = actions.flatMap((action): [string, Effect][] => {
    const asked = requestOf(action);
    if (!asked) return [];
    return [[asked.path, asked.direction === 'undo' ? 'undoing' : 'open']];
  });
  return entries.length === 0 ? ledger : { ...ledger, ...Object.fromEntries(entries) };
}

/** What an action asks somebody to do, and waits for; undefined: it is no such action. */
export function requestOf(action: SagaAction): ReturnType<typeof parseCommandId> {
  if (!('id' in action) || action.id === undefined || action.kind === 'publish') return undefined;
  return parseCommandId((action satisfies Request).id!);
}

function answered(ledger: Ledger, id: string, success: boolean, sure: boolean): Ledger {
  const { path, direction, attempt } = parseCommandId(id)!;
  if (direction === 'undo') return success ? { ...ledger, [path]: 'undone' } : ledger;
  if (success) return { ...ledger, [path]: 'done' };
  // Attempts that nobody has answered may have done it.
  return sure && attempt === 1 ? { ...ledger, [path]: 'nothing' } : ledger;
}
