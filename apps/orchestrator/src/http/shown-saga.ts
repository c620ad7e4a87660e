import { SAGA_STATUSES } from '@millrace/saga';
import type { HistoryEntry, SagaInstance, SagaStatus } from '@millrace/saga';
import { ApiProperty } from '@nestjs/swagger';

/** Something that happened in a saga; the same thing again is counted. */
export class ShownHappening implements HistoryEntry {
  @ApiProperty() step!: string;
  /** Where the step stands in the saga. */
  @ApiProperty() path!: string;
  @ApiProperty({ enum: ['do', 'undo'] }) direction!: HistoryEntry['direction'];
  @ApiProperty() what!: HistoryEntry['what'];
  /** The first time, ms since 1970. */
  @ApiProperty() at!: number;
  @ApiProperty() times!: number;
}

/** A saga as it is shown in a list. */
export class ListedSaga {
  /** The order it is about. */
  @ApiProperty() id!: string;
  @ApiProperty() saga!: string;
  @ApiProperty({ enum: SAGA_STATUSES }) status!: SagaStatus;
  /** The step that made it turn round, or at which it is parked. */
  @ApiProperty({ required: false }) step?: string;
  /** Why it turned round, or is parked. */
  @ApiProperty({ required: false }) reason?: string;
  /** RFC 3339. */
  @ApiProperty() startedAt!: string;
  @ApiProperty({ required: false }) endedAt?: string;
}

/** One saga with all that happened in it. */
export class ShownSaga extends ListedSaga {
  @ApiProperty({ type: [ShownHappening] }) history!: readonly ShownHappening[];
}

/** A page of `GET /sagas`. */
export class SagaPage {
  @ApiProperty({ type: [ListedSaga] }) sagas!: readonly ListedSaga[];
  /** For the next page; absent on the last one. */
  @ApiProperty({ required: false }) cursor?: string;
}

export function listed({ id, saga, status, parked, failure, startedAt, endedAt }: SagaInstance): ListedSaga {
  const cause = parked?.[0] ?? failure;
  return {
    id,
    saga,
    status,
    ...(cause ? { step: cause.step, reason: cause.reason } : {}),
    startedAt: new Date(startedAt).toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
  };
}
