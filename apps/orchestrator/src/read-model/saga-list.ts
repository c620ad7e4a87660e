import { Projection, Projects } from '@millrace/event-store';
import type { View } from '@millrace/event-store';
import { SagaEnded, SagaParked, SagaStarted, SagaTurned } from '@millrace/saga';
import { ApiProperty } from '@nestjs/swagger';

export const STATUSES = ['running', 'compensating', 'completed', 'compensated', 'parked', 'aborted'] as const;
export type ListedStatus = (typeof STATUSES)[number];

/** A saga as it is shown in a list. */
export class ListedSaga {
  /** The order it is about. */
  @ApiProperty() id!: string;
  @ApiProperty() saga!: string;
  @ApiProperty({ enum: STATUSES }) status!: ListedStatus;
  /** The step that made it turn round, or at which it is parked. */
  @ApiProperty({ required: false }) step?: string;
  @ApiProperty({ required: false }) reason?: string;
  @ApiProperty() startedAt!: string;
  @ApiProperty({ required: false }) endedAt?: string;
}

type Rows = View<ListedSaga>;

@Projection('sagas')
export class SagaList {
  @Projects(SagaStarted)
  started({ id, saga, at }: SagaStarted, view: Rows): void {
    view.put(id, { id, saga, status: 'running', startedAt: at });
  }

  @Projects(SagaTurned)
  turned({ id, step, reason }: SagaTurned, view: Rows): Promise<void> {
    return become(view, id, { status: 'compensating', step, reason });
  }

  @Projects(SagaEnded)
  ended({ id, outcome, at }: SagaEnded, view: Rows): Promise<void> {
    return become(view, id, { status: outcome, endedAt: at });
  }

  @Projects(SagaParked)
  parked({ id, step, reason, at }: SagaParked, view: Rows): Promise<void> {
    return become(view, id, { status: 'parked', step, reason, endedAt: at });
  }
}

function become(view: Rows, id: string, change: Partial<ListedSaga>): Promise<void> {
  return view.update(id, (row) => {
    if (!row) throw new Error(`saga ${id} goes on, but was never started`);
    return { ...row, ...change };
  });
}
