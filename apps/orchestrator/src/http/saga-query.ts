import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { STATUSES } from '../read-model/saga-list.js';
import type { ListedStatus } from '../read-model/saga-list.js';

/** Query of `GET /sagas`. */
export class SagaQuery {
  @ApiProperty({ enum: STATUSES, required: false }) @IsOptional() @IsIn(STATUSES) status?: ListedStatus;
}
