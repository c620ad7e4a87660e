import { Event } from '@millrace/messages';
import { IsIn, IsISO8601, IsNotEmpty, IsString } from 'class-validator';

/** How a saga can end. */
export type SagaOutcome = 'completed' | 'compensated' | 'aborted';

/** The lifecycle of a saga, published in the feed of the context that runs it. */
export type SagaEvent = SagaStarted | SagaTurned | SagaEnded | SagaParked;

@Event('saga.started', { key: 'id' })
export class SagaStarted {
  @IsString() @IsNotEmpty() readonly saga: string;
  @IsString() @IsNotEmpty() readonly id: string;
  @IsISO8601() readonly at: string;

  constructor(saga: string, id: string, at: string) {
    this.saga = saga;
    this.id = id;
    this.at = at;
  }
}

/** A step was refused or given up: from here on the saga compensates. */
@Event('saga.turned', { key: 'id' })
export class SagaTurned {
  @IsString() @IsNotEmpty() readonly saga: string;
  @IsString() @IsNotEmpty() readonly id: string;
  @IsString() @IsNotEmpty() readonly step: string;
  @IsString() readonly reason: string;
  @IsISO8601() readonly at: string;

  constructor(saga: string, id: string, step: string, reason: string, at: string) {
    this.saga = saga;
    this.id = id;
    this.step = step;
    this.reason = reason;
    this.at = at;
  }
}

@Event('saga.ended', { key: 'id' })
export class SagaEnded {
  @IsString() @IsNotEmpty() readonly saga: string;
  @IsString() @IsNotEmpty() readonly id: string;
  @IsIn(['completed', 'compensated', 'aborted']) readonly outcome: SagaOutcome;
  @IsISO8601() readonly at: string;

  constructor(saga: string, id: string, outcome: SagaOutcome, at: string) {
    this.saga = saga;
    this.id = id;
    this.outcome = outcome;
    this.at = at;
  }
}

/** A step was given up: a person has to finish what the saga could not do, or undo. */
@Event('saga.parked', { key: 'id' })
export class SagaParked {
  @IsString() @IsNotEmpty() readonly saga: string;
  @IsString() @IsNotEmpty() readonly id: string;
  /** The step that was given up. */
  @IsString() @IsNotEmpty() readonly step: string;
  @IsString() readonly reason: string;
  @IsISO8601() readonly at: string;

  constructor(saga: string, id: string, step: string, reason: string, at: string) {
    this.saga = saga;
    this.id = id;
    this.step = step;
    this.reason = reason;
    this.at = at;
  }
}
