/** The code of docs/guides/saga-queries.md, region by region. The spec beside it compares, compiles and runs it. */
// #region desk
import { sagaChart, sagaGantt, SagaModule, Sagas, sagaTimeline } from '@millrace/saga';
import type { SagaClass, SagaHolder } from '@millrace/saga';
import { Injectable } from '@nestjs/common';

@Injectable()
export class SagaDesk {
  constructor(private readonly sagas: Sagas) {}

  /** A page of those that wait for a person, the newest first. */
  parked(cursor?: string) {
    return this.sagas.list({ status: 'parked', limit: 20, cursor });
  }

  ofCustomer(saga: SagaClass, customer: string) {
    return this.sagas.list({ saga, key: { customer } });
  }

  at(saga: SagaClass, step: string) {
    return this.sagas.list({ saga, step, order: 'oldest' });
  }

  /** Those that turn round by themselves within an hour. */
  urgent() {
    return this.sagas.list({ deadline: { before: Date.now() + 3_600_000 } });
  }

  /** `{ running: 12, parked: 1, ... }` */
  counts() {
    return this.sagas.count();
  }

  async past(saga: string, id: string, moment: Date) {
    const instance = await this.sagas.find(saga, id);
    const history = await this.sagas.history(saga, id);
    if (!instance || !history) return undefined;
    return { state: await this.sagas.stateAt(saga, id, moment), told: sagaTimeline({ ...instance, history }) };
  }

  giveMoreTime(saga: string, id: string, until: Date) {
    return this.sagas.moveDeadline(saga, id, until, { by: 'ann', reason: 'the supplier is late' });
  }
}
// #endregion

// #region retention
export const keptForAMonth = (saga: SagaClass) =>
  SagaModule.forFeature([saga], { retention: { completed: '30d', compensated: '90d' } });
// #endregion

// #region picture
export const picture = (saga: SagaHolder) => sagaChart(saga);

/** One instance: how long each of its steps took to be done, and to be undone. */
export async function course(sagas: Sagas, saga: string, id: string) {
  const instance = await sagas.find(saga, id);
  const history = await sagas.history(saga, id);
  return instance && history && sagaGantt({ ...instance, history }, { now: Date.now() });
}
// #endregion
