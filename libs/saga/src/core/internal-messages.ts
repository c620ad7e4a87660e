import { Command, Event, Reply } from '@millrace/messages';
import { IsBoolean, IsDefined, IsIn, IsNotEmpty, IsObject, IsOptional, IsString } from 'class-validator';

// What sagas of one context say to each other, and to themselves.

/** What an instance's timer puts into its inbox: something is due. */
@Event('saga.wake')
export class SagaWake {
  @IsString() @IsNotEmpty() readonly saga: string;
  @IsString() @IsNotEmpty() readonly id: string;
  /** Also local functions run that nobody has begun, or whose process died. */
  @IsOptional() @IsBoolean() readonly resume?: boolean;

  constructor(saga: string, id: string, resume?: boolean) {
    this.saga = saga;
    this.id = id;
    if (resume) this.resume = resume;
  }
}

@Reply('saga.child-completed')
export class ChildCompleted {
  /** The last state of the child. */
  @IsDefined() readonly state: unknown;

  constructor(state: unknown) {
    this.state = state;
  }
}

@Reply('saga.child-failed', { failure: true })
export class ChildFailed {
  @IsString() readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

@Reply('saga.child-undone')
export class ChildUndone {}

/** Past its pivot, or ended by a person. */
@Reply('saga.child-not-undone', { failure: true })
export class ChildNotUndone {
  @IsString() readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Asked by a saga that it is a part of, or by a handler. */
@Command('saga.start')
export class StartSaga extends Command<ChildCompleted, ChildFailed> {
  @IsString() @IsNotEmpty() readonly saga: string;
  @IsString() @IsNotEmpty() readonly id: string;
  @IsObject() readonly input: object;

  constructor(saga: string, id: string, input: object) {
    super();
    this.saga = saga;
    this.id = id;
    this.input = input;
  }
}

@Command('saga.undo-child')
export class UndoChild extends Command<ChildUndone, ChildNotUndone> {
  @IsString() @IsNotEmpty() readonly saga: string;
  @IsString() @IsNotEmpty() readonly id: string;

  constructor(saga: string, id: string) {
    super();
    this.saga = saga;
    this.id = id;
  }
}

@Reply('saga.locked')
export class Locked {}

@Reply('saga.lock-refused', { failure: true })
export class LockRefused {
  /** The saga that holds it: `<saga>/<id>`. */
  @IsString() readonly holder: string;

  constructor(holder: string) {
    this.holder = holder;
  }
}

@Reply('saga.unlocked')
export class Unlocked {}

@Command('saga.lock')
export class LockKey extends Command<Locked, LockRefused> {
  @IsString() @IsNotEmpty() readonly key: string;
  /** The saga that wants it: `<saga>/<id>`. */
  @IsString() @IsNotEmpty() readonly holder: string;
  @IsIn(['wait', 'fail']) readonly otherwise: 'wait' | 'fail';

  constructor(key: string, holder: string, otherwise: 'wait' | 'fail') {
    super();
    this.key = key;
    this.holder = holder;
    this.otherwise = otherwise;
  }
}

@Command('saga.unlock')
export class UnlockKey extends Command<Unlocked> {
  @IsString() @IsNotEmpty() readonly key: string;
  @IsString() @IsNotEmpty() readonly holder: string;

  constructor(key: string, holder: string) {
    super();
    this.key = key;
    this.holder = holder;
  }
}
