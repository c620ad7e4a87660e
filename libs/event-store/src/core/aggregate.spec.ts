import { Command, Event } from '@millrace/messages';
import { Aggregate, AggregateRoot, modelOfClass, record } from './aggregate.js';
import { newAggregate, takeRecorded } from './aggregate-model.js';
import { Apply } from './apply.js';
import { idOf, versionOf } from './journal.js';

@Event('till.opened')
class TillOpened {
  constructor(readonly float: number) {}
}

@Event('till.paid-in')
class PaidIn {
  constructor(readonly amount: number) {}
}

@Event('till.robbed')
class TillRobbed {}

@Command('till.pay-in')
class PayIn extends Command<PaidIn> {}

@Aggregate('till')
class Till extends AggregateRoot {
  balance = 0;

  tell(...events: object[]): void {
    for (const event of events) this.record(event);
  }

  @Apply(TillOpened) protected opened(event: TillOpened): void {
    this.balance = event.float;
  }

  @Apply(PaidIn) protected paidIn(event: PaidIn): void {
    this.balance += event.amount;
  }
}

@Aggregate('strict-till')
class CautiousTill extends Till {
  @Apply(PaidIn) protected halved(event: PaidIn): void {
    this.balance += event.amount / 2;
  }
}

describe('an aggregate', () => {
  it('applies an event when recording it', () => {
    const till = newAggregate(modelOfClass(Till), 'north');
    till.tell(new TillOpened(100), new PaidIn(5));
    expect(till).toMatchObject({ id: 'north', balance: 105, version: 2 });
    expect(takeRecorded(till)).toEqual([new TillOpened(100), new PaidIn(5)]);
    expect(takeRecorded(till)).toEqual([]);
  });

  it('inherits the methods of its parent and overrides them by event', () => {
    const till = newAggregate(modelOfClass(CautiousTill), 'south');
    till.tell(new TillOpened(100), new PaidIn(5));
    expect(till.balance).toBe(102.5);
  });

  it('refuses to record an event that no method applies, and keeps nothing of it', () => {
    const till = newAggregate(modelOfClass(Till), 'north');
    expect(() => till.tell(new TillRobbed())).toThrow(
      'Till records till.robbed, but has no method that applies it: add @Apply(TillRobbed)',
    );
    expect(till.version).toBe(0);
    expect(takeRecorded(till)).toEqual([]);
  });

  it('refuses to record what is no event', () => {
    expect(() => newAggregate(modelOfClass(Till), 'north').tell(new PayIn())).toThrow('till.pay-in, a command');
    expect(() => newAggregate(modelOfClass(Till), 'north').tell({})).toThrow('is not a message');
  });

  it('keeps what it knows about itself out of its JSON', () => {
    expect(JSON.parse(JSON.stringify(newAggregate(modelOfClass(Till), 'north')))).toEqual({ balance: 0 });
  });
});

describe('an aggregate that extends no class of ours', () => {
  @Aggregate('box')
  class Box {
    full = false;

    fill(amount: number): string {
      record(this, new PaidIn(amount));
      return `${idOf(this)}@${versionOf(this)}`;
    }

    @Apply(PaidIn) protected filled(): void {
      this.full = true;
    }
  }

  it('records, and asks for its id and version', () => {
    const box = newAggregate(modelOfClass(Box), 'b1');
    expect(box.fill(3)).toBe('b1@1');
    expect(box.full).toBe(true);
    expect(takeRecorded(box)).toEqual([new PaidIn(3)]);
    expect(Object.keys(box)).toEqual(['full']);
  });

  it('records only what it applies', () => {
    expect(() => record(new Box(), new TillRobbed())).toThrow('add @Apply(TillRobbed)');
  });
});

describe('the declaration of an aggregate', () => {
  it('names the stream', () => {
    expect(modelOfClass(Till).name).toBe('till');
    expect(modelOfClass(CautiousTill).name).toBe('strict-till');
  });

  it('is required, also of a subclass', () => {
    class Unnamed extends Till {}
    expect(() => modelOfClass(Unnamed)).toThrow("Unnamed is not an aggregate: decorate it with @Aggregate('name')");
  });

  it('takes a name that can be part of a key', () => {
    expect(() => Aggregate('Till {1}')).toThrow('aggregate "Till {1}" cannot be used');
  });

  it('has one method for an event', () => {
    expect(() => {
      class Double extends AggregateRoot {
        @Apply(PaidIn) first(): void {}
        @Apply(PaidIn) second(): void {}
      }
      return Double;
    }).toThrow('Double.second and first both apply till.paid-in');
  });

  it('applies events only', () => {
    expect(() => Apply(PayIn)({}, 'pay', {})).toThrow('till.pay-in, a command: only events are applied');
  });
});
