import { LazySignal, NonRetryableError, within } from '@millrace/broker';
import type { MessageContext } from '@millrace/broker';
import type { Call } from '../call.js';
import { Refused } from '../call.js';
import { effectId } from '../command-id.js';
import type { CallResult } from '../engine/signal.js';
import type { CallAction } from '../transition.js';

/** The run of a handler. A signal costs, so it is asked for only where it is needed. */
export type Handling = Pick<MessageContext, 'signal' | 'isAborted'>;

/** Runs a local function, until its deadline at the latest. Never fails: how the function ended is the answer. */
export async function runCall(action: CallAction, handling?: Handling): Promise<CallResult> {
  const call = new RunningCall(action, handling);
  try {
    const value = await call.settled();
    return value instanceof Refused ? { status: 'refused', reason: value.reason } : { status: 'answered', value };
  } catch (error) {
    return { status: 'failed', reason: reasonOf(error), retryable: !(error instanceof NonRetryableError) };
  }
}

class RunningCall implements Call {
  readonly item: unknown;
  readonly idempotencyKey: string;
  readonly attempt: number;
  private readonly over: LazySignal;

  constructor(
    private readonly action: CallAction,
    handling: Handling | undefined,
  ) {
    this.item = action.item;
    this.idempotencyKey = keyOf(action.id);
    this.attempt = action.attempt;
    this.over = new LazySignal(() => (handling ? [handling.signal] : []));
  }

  get signal(): AbortSignal {
    return this.over.signal;
  }

  /** What the function answers, or throws; at its deadline rejects. */
  settled(): Promise<unknown> {
    const { work, state, withinMs } = this.action;
    // So that what it throws at once is an answer, too.
    const working = (async () => work(state as never, this))();
    return within(withinMs, working, () => {
      const reason = `no answer within ${withinMs} ms`;
      this.over.abort(new DOMException(reason, 'TimeoutError'));
      return new Error(reason);
    });
  }
}

/** The same for every attempt, different for doing and undoing. */
function keyOf(id: string): string {
  return id.includes('/undo/') ? `${effectId(id)}/undo` : effectId(id);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
