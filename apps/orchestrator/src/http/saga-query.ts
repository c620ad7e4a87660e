import { SAGA_STATUSES } from '@millrace/saga';
import type { SagaStatus } from '@millrace/saga';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';

/** Query of `GET /sagas`. */
export class SagaQuery {
  @ApiProperty({ enum: SAGA_STATUSES, required: false }) @IsOptional() @IsIn(SAGA_STATUSES) status?: SagaStatus;

  @ApiProperty({ minimum: 1, maximum: 1000, default: 100, required: false })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  limit: number = 100;

  /** Of the page before. */
  @ApiProperty({ required: false }) @IsOptional() @IsString() cursor?: string;
}
