import { decode } from '@millrace/messages';
import type { DeadLetter, Write } from './commit.js';
import type { Delivery, GroupScope, Outcome } from './delivery.js';
import { refOf, settle } from './settlement.js';
import { failedReply } from './system-reply.js';

/** Why a message is given up. */
export interface Verdict {
  readonly reason: string;
  readonly error: unknown;
  /** Attempts that have failed. */
  readonly attempts: number;
}

/** Gives a message up: acknowledged and kept as a dead letter, in one commit. */
export function bury(scope: GroupScope, delivery: Delivery, verdict: Verdict): Promise<Outcome> {
  const { entry, retry } = delivery;
  const now = scope.broker.clock.now();
  const letter: DeadLetter = {
    reason: verdict.reason,
    error: describe(verdict.error),
    errorClass: verdict.error instanceof Error ? verdict.error.constructor.name : '',
    group: scope.group.name,
    entry: refOf(entry),
    type: undefined,
    key: undefined,
    redriven: 0,
    attempts: verdict.attempts,
    first: retry?.first ?? now,
    last: now,
    fields: entry.fields,
  };
  const { partition, log } = entry.source;
  scope.logger.error(`dead letter ${partition.context}/${log} ${entry.id} (${letter.reason}): ${letter.error}`);
  return settle(scope, delivery, [{ kind: 'dead-letter', letter }, ...refusal(scope, letter)]);
}

/** Tells the process that waits for the reply, if one does and the message can be read. */
function refusal({ broker }: GroupScope, { entry, fields, reason, error }: DeadLetter): readonly Write[] {
  try {
    return failedReply(broker, decode(fields, entry.id, broker.limits), { reason, error });
  } catch {
    return [];
  }
}

/** What was thrown, which may be anything, in a sentence. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
