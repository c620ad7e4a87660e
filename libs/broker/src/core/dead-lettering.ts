import { decode } from '@millrace/messages';
import type { DeadLetter, Write } from './commit.js';
import type { Delivery, GroupScope, Outcome, Received } from './delivery.js';
import { ORIGIN_FIELDS, PARKED } from './origin.js';
import { cleanUp, guardsOf, refOf, settle } from './settlement.js';
import { failedReply } from './system-reply.js';

/** Why a message is given up. */
export interface Verdict {
  readonly reason: string;
  readonly error: unknown;
  /** Attempts that have failed. */
  readonly attempts: number;
}

/**
 * Gives a message up: acknowledged and kept as a dead letter, in one commit. With `onFailure: 'park-key'` it holds its key
 * back from now on.
 */
export function bury(scope: GroupScope, delivery: Delivery, verdict: Verdict): Promise<Outcome> {
  const { partition, log } = delivery.entry.source;
  const letter = letterOf(scope, delivery, verdict);
  scope.logger.error(
    `dead letter ${partition.context}/${log} ${delivery.entry.id} (${letter.reason}): ${letter.error}`,
  );
  scope.broker.telemetry?.deadLettered(letter);
  const { key } = letter;
  const refusal = refuse(scope, letter);
  if (!scope.parked || key === undefined) return settle(scope, delivery, [keep(delivery, letter), ...refusal]);
  // Before it is written, since nobody may ever know for sure that it was.
  scope.parked.hold(partition, key);
  return settle(scope, delivery, [keep(delivery, letter, 'head'), ...refusal], key);
}

/** Whether earlier messages of its key have been given up, so that this one has to wait behind them. */
export function mayHaveToPark(
  { parked }: GroupScope,
  { entry, received }: Pick<Delivery, 'entry' | 'received'>,
): boolean {
  if (!parked || received.kind === 'irrelevant' || received.origin?.parked !== undefined) return false;
  const key = sequenceOf(received);
  return key !== undefined && parked.mayHold(entry.source.partition, key);
}

/** Puts a message behind the one that holds its key back. Undefined: the key is free. */
export async function park(scope: GroupScope, delivery: Delivery): Promise<Outcome | undefined> {
  const { partition } = delivery.entry.source;
  const letter = letterOf(scope, delivery, { reason: PARKED, error: 'waits behind another of its key', attempts: 0 });
  const { group, key = '' } = letter;
  const result = await scope.broker.commit({
    partition,
    guards: [...guardsOf(scope, delivery), { kind: 'parked', group, key }],
    writes: [keep(delivery, letter, 'behind'), ...cleanUp(scope, delivery)],
  });
  if (result.status === 'committed' || result.guard === 'input') return 'settled';
  if (result.guard === 'lease') return 'lease-lost';
  scope.parked?.free(partition, key);
  return undefined;
}

function letterOf(scope: GroupScope, { entry, retry, received }: Delivery, verdict: Verdict): DeadLetter {
  const now = scope.broker.clock.now();
  const { error, reason, attempts } = verdict;
  const { envelope, origin } = received.kind === 'irrelevant' ? {} : received;
  return {
    reason,
    error: describe(error),
    errorClass: error instanceof Error ? error.constructor.name : '',
    group: scope.group.name,
    entry: origin?.entry ?? refOf(entry),
    type: envelope?.type,
    key: sequenceOf(received),
    attempts,
    redriven: origin?.redriven ?? 0,
    first: origin?.first ?? retry?.first ?? now,
    last: now,
    fields: origin ? entry.fields.slice(ORIGIN_FIELDS) : entry.fields,
  };
}

/** The key whose messages follow each other; a message without one follows nothing. */
function sequenceOf(received: Received): string | undefined {
  const envelope = received.kind === 'irrelevant' ? undefined : received.envelope;
  return envelope?.partitionkey ?? envelope?.subject;
}

/** @param how whether its key waits behind it, or it behind another of its key */
function keep({ entry }: Delivery, letter: DeadLetter, how?: 'head' | 'behind'): Write {
  // What is no UTF-8 has become that character when the entry was read.
  const lossy = letter.fields.some((field) => field.includes('\uFFFD'));
  return {
    kind: 'dead-letter',
    letter,
    ...(lossy ? { copy: refOf(entry) } : {}),
    ...(how ? { park: how } : {}),
  };
}

/** Tells the process that waits for the reply, if one does and the message can be read. */
function refuse({ broker }: GroupScope, { entry, fields, reason, error }: DeadLetter): readonly Write[] {
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
