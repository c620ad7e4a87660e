/**
 * The consumer of a group with a holder per partition. A lease lets one process at a time consume a partition, so what the
 * last holder left pending is simply the next holder's own: no claiming, no names to reap.
 */
export const HOLDER = 'holder';

const WORKER = 'worker-';

/**
 * The consumer of a process that competes with others. The number is one that no other living process has, so names are
 * used again, and a process that is started after a crash finds what its predecessor left pending under its own name.
 */
export function workerName(slot: number): string {
  return `${WORKER}${slot}`;
}

/** Whether a consumer is one of ours that compete; a name somebody else gave is not ours to remove. */
export function isWorker(consumer: string): boolean {
  return consumer.startsWith(WORKER);
}
