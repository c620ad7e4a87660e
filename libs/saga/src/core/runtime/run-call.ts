import { NonRetryableError } from '@millrace/broker';
import { Refused } from '../call.js';
import { effectId } from '../command-id.js';
import type { CallResult } from '../engine/signal.js';
import type { CallAction } from '../transition.js';

/** Runs a local function, until its deadline at the latest. Never fails: how the function ended is the answer. */
export async function runCall(
  { id, work, state, item, attempt, withinMs }: CallAction,
  stopping?: AbortSignal,
): Promise<CallResult> {
  const late = AbortSignal.timeout(withinMs);
  const signal = stopping ? AbortSignal.any([late, stopping]) : late;
  const call = { item, idempotencyKey: keyOf(id), attempt, signal };
  try {
    const value = await settledBefore(late, withinMs, (async () => work(state as never, call))());
    return value instanceof Refused ? { status: 'refused', reason: value.reason } : { status: 'answered', value };
  } catch (error) {
    return { status: 'failed', reason: reasonOf(error), retryable: !(error instanceof NonRetryableError) };
  }
}

/** The same for every attempt, different for doing and undoing. */
function keyOf(id: string): string {
  return id.includes('/undo/') ? `${effectId(id)}/undo` : effectId(id);
}

function settledBefore<T>(late: AbortSignal, withinMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    late.addEventListener('abort', () => reject(new Error(`no answer within ${withinMs} ms`)), { once: true });
    work.then(resolve, reject);
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
