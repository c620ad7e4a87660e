import type { HistoryEntry, SagaInstance } from '@millrace/saga';
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

/** One saga with all that happened in it. */
export class ShownSaga {
  /** The order it is about. */
  @ApiProperty() id!: string;
  @ApiProperty() saga!: string;
  @ApiProperty({
    enum: ['running', 'compensating', 'completing', 'rejecting', 'completed', 'compensated', 'parked', 'aborted'],
  })
  status!: SagaInstance['status'];
  /** Why it turned round. */
  @ApiProperty({ required: false }) reason?: string;
  @ApiProperty({ type: [ShownHappening] }) history!: readonly ShownHappening[];
}
