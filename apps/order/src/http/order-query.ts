import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { STATUSES } from '../read-model/listed-order.js';
import type { OrderStatus } from '../read-model/listed-order.js';

/** Query of `GET /orders`. */
export class OrderQuery {
  @ApiProperty({ enum: STATUSES, required: false }) @IsOptional() @IsIn(STATUSES) status?: OrderStatus;

  @ApiProperty({ minimum: 1, maximum: 1000, default: 100, required: false })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  limit: number = 100;
}
