import type { SagaInstance } from './instance.js';
import { pastOf } from './past.js';
import type { PresentInstance } from './past.js';

/** An instance that is being made: it has every member, perhaps without a value. */
export type Draft<State = unknown> = {
  -readonly [K in keyof Required<PresentInstance<State>>]: PresentInstance<State>[K] | undefined;
};

/**
 * A copy to be changed. With all members from the start: to add one to a spread copy takes V8 a microsecond or two, which is more
 * than a decision takes otherwise.
 */
export function draftOf<State>(instance: SagaInstance<State>): Draft<State> {
  const { saga, id, version, hash, correlationid, status, state, run, farewell, failure, parked } = instance;
  const { history, pages, early, wakeAt, deadline, asker, startedAt, updatedAt, endedAt } = instance;
  const past = pastOf(instance);
  return {
    saga,
    id,
    version,
    hash,
    correlationid,
    status,
    state,
    run,
    farewell,
    failure,
    parked,
    pages,
    early,
    wakeAt,
    deadline,
    asker,
    startedAt,
    updatedAt,
    endedAt,
    history,
    past,
  };
}
