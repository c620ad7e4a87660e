import { Event } from '@millrace/messages';
import { IsIn, IsString } from 'class-validator';

/** What an instance's timer puts into its inbox. */
@Event('saga.deadline')
export class SagaDeadline {
  /** `deadline`: the command should have been answered by now; `retry`: it is to be sent again. */
  @IsIn(['deadline', 'retry']) readonly kind: 'deadline' | 'retry';
  @IsString() readonly commandId: string;

  constructor(kind: 'deadline' | 'retry', commandId: string) {
    this.kind = kind;
    this.commandId = commandId;
  }
}
