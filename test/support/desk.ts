import { Command, Reply } from '@millrace/messages';
import { IsInt, IsString } from 'class-validator';

/** The messages of context `work`, as its clients know them. */

@Reply('work.added')
export class Added {
  @IsInt() sum: number;

  constructor(sum: number) {
    this.sum = sum;
  }
}

@Reply('work.too-large', { failure: true })
export class TooLarge {
  @IsString() reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

@Command('work.add')
export class Add extends Command<Added, TooLarge> {
  @IsInt() a: number;
  @IsInt() b: number;

  constructor(a: number, b: number) {
    super();
    this.a = a;
    this.b = b;
  }
}
