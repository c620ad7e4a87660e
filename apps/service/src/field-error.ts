import { HttpException } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import type { ValidationError } from 'class-validator';

/** One thing that is wrong with a request. */
export class FieldError {
  /** Path of the field: `lines.0.quantity`; `body` for the whole. */
  @ApiProperty() field!: string;
  @ApiProperty() reason!: string;
}

/** What the body of a refusal looks like. */
export class Refusal {
  @ApiProperty() statusCode!: number;
  @ApiProperty() message!: string;
  @ApiProperty({ type: [FieldError] }) errors!: FieldError[];
}

/** A request that cannot be served, with the fields that are to blame. */
export class RefusedRequest extends HttpException {
  constructor(status: number, message: string, errors: readonly FieldError[] = []) {
    super({ statusCode: status, message, errors }, status);
  }
}

/** class-validator's findings, one for each wrong field. */
export function fieldErrors(errors: readonly ValidationError[], path = ''): FieldError[] {
  return errors.flatMap(({ property, constraints = {}, children = [] }) => {
    const field = property === undefined ? 'body' : path ? `${path}.${property}` : property;
    const own = Object.values(constraints).map((reason) => ({ field, reason }));
    return [...own, ...fieldErrors(children, field)];
  });
}
