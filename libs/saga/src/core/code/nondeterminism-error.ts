import { MillraceError } from '@millrace/broker';
import type { Op } from '../run.js';

/** The code of a saga does something else than it did before, after being told the same. */
export class NondeterminismError extends MillraceError {
  override readonly name = 'NondeterminismError';
  readonly code = 'nondeterminism';

  /**
   * @param place index of the operation, from 0
   * @param expected what it began there before; undefined: nothing
   * @param found what it does there now: an operation, or what else
   */
  constructor(
    readonly place: number,
    readonly expected: Pick<Op, 'kind' | 'name'> | undefined,
    readonly found: Pick<Op, 'kind' | 'name'> | string,
  ) {
    super(
      `operation ${place} was ${expected ? worded(expected) : 'not begun here'} and now is ${typeof found === 'string' ? found : worded(found)}: ` +
        'the code has been changed under a saga that is under way, or depends on something that is not recorded ' +
        '(take the time of saga.now(), ids of saga.uuid(), and everything else of a step)',
    );
  }
}

function worded({ kind, name }: Pick<Op, 'kind' | 'name'>): string {
  return `${kind} '${name}'`;
}
