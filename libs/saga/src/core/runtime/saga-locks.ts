import { parseAddress, UnitOfWork } from '@millrace/broker';
import type { Broker, Write } from '@millrace/broker';
import { Locked, LockRefused, Unlocked } from '../internal-messages.js';
import { lockPlace } from './saga-writes.js';

/** Who has a key, and who waits for it, in order. */
export interface SagaLock {
  readonly holder: string;
  readonly waiting: readonly Waiter[];
}

interface Waiter {
  readonly holder: string;
  /** The command that is answered when it gets the key. */
  readonly commandId: string;
  readonly replyto: string;
  readonly correlationid: string;
}

/** A message to the locks. */
export interface LockRequest extends Waiter {
  readonly key: string;
}

/**
 * Keys that sagas lock for each other (semantic locks, Garcia-Molina and Salem 1987; Richardson, "Microservices Patterns"): each
 * a state, on the partition of the key. What is decided is part of the handler's commit.
 */
export class SagaLocks {
  constructor(private readonly broker: Broker) {}

  /** Who has a key; undefined: nobody. */
  async find(key: string): Promise<SagaLock | undefined> {
    return (await this.read(key)).lock;
  }

  async lock(request: LockRequest, otherwise: 'wait' | 'fail'): Promise<void> {
    const { key, holder } = request;
    const { lock, revision } = await this.read(key);
    const held = !lock || lock.holder === holder;
    if (!held && otherwise === 'fail')
      return this.stage(key, revision, lock, [[request, new LockRefused(lock.holder)]]);
    if (held) return this.stage(key, revision, lock ?? { holder, waiting: [] }, [[request, new Locked()]]);
    const waiting = lock.waiting.filter((each) => each.holder !== holder);
    const { key: _key, ...waiter } = request;
    return this.stage(key, revision, { ...lock, waiting: [...waiting, waiter] }, []);
  }

  /** Gives a key back, or stops waiting for it. Who waits longest gets it. */
  async unlock(request: LockRequest, answered: boolean): Promise<void> {
    const { key, holder } = request;
    const { lock, revision } = await this.read(key);
    const done: Answers = answered ? [[request, new Unlocked()]] : [];
    if (!lock) return this.stage(key, revision, undefined, done);
    const waiting = lock.waiting.filter((each) => each.holder !== holder);
    if (lock.holder !== holder) return this.stage(key, revision, { ...lock, waiting }, done);
    const [first, ...others] = waiting;
    if (!first) return this.stage(key, revision, undefined, done);
    return this.stage(key, revision, { holder: first.holder, waiting: others }, [...done, [first, new Locked()]]);
  }

  private async read(key: string): Promise<{ readonly lock: SagaLock | undefined; readonly revision: number }> {
    const stored = await this.broker.store.readState(lockPlace(this.broker, key).partition, stateOf(key));
    const lock = stored && (JSON.parse(stored.value) as SagaLock | null);
    return { lock: lock ?? undefined, revision: stored?.revision ?? 0 };
  }

  private async stage(key: string, revision: number, lock: SagaLock | undefined, answers: Answers): Promise<void> {
    const { broker } = this;
    const { partition } = lockPlace(broker, key);
    const state = stateOf(key);
    const replies = await Promise.all(answers.map(([to, reply]) => replyWrite(broker, to, reply)));
    const keep: readonly Write[] = lock
      ? [{ kind: 'put', state, value: JSON.stringify(lock) }]
      : revision > 0
        ? [{ kind: 'delete', state }]
        : [];
    UnitOfWork.current()!.stage(partition, {
      guards: [{ kind: 'revision', state, expected: revision }],
      writes: [...keep, ...replies],
    });
  }
}

type Answers = readonly (readonly [Waiter, object])[];

async function replyWrite(
  broker: Broker,
  { commandId, replyto, correlationid }: Waiter,
  reply: object,
): Promise<Write> {
  const attributes = { inreplyto: commandId, correlationid, partitionkey: correlationid };
  return { kind: 'emit', to: parseAddress(replyto)!, message: (await broker.messages.encode(reply, attributes)).text };
}

function stateOf(key: string): string {
  return `saga-lock.${encodeURIComponent(key).replaceAll('*', '%2A').replaceAll('..', '%2E%2E')}`;
}
