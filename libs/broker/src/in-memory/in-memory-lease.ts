import type { LeaseAnswer, LeaseRequest } from '../core/group-store.js';

/** Who may consume. The epoch outlives its owner, so that none is ever given twice. */
export interface InMemoryLease {
  readonly owner: string | undefined;
  readonly epoch: number;
  readonly until: number;
}

const NEVER_HELD: InMemoryLease = { owner: undefined, epoch: 0, until: 0 };

export function acquire(
  former: InMemoryLease | undefined,
  request: LeaseRequest,
  now: number,
): { readonly lease: InMemoryLease; readonly answer: LeaseAnswer } {
  const lease = former ?? NEVER_HELD;
  const { owner } = lease;
  if (owner !== undefined && owner !== request.owner && lease.until > now) {
    return { lease, answer: { held: false, owner, remainingMs: lease.until - now } };
  }
  const epoch = owner === request.owner ? lease.epoch : lease.epoch + 1;
  return { lease: { owner: request.owner, epoch, until: now + request.ttlMs }, answer: { held: true, epoch } };
}

export function release(lease: InMemoryLease, epoch: number): InMemoryLease {
  return lease.epoch === epoch ? { ...NEVER_HELD, epoch } : lease;
}
