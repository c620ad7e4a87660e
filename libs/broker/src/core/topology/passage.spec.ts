import { Command, Event } from '@millrace/messages';
import { compress, translate, upcast } from '@millrace/transforms';
import { IsInt, IsString } from 'class-validator';
import { arrivalsOf, wayOf } from './passage.js';

@Command('hall.ask')
class AskHall {
  @IsString() who!: string;
}

@Command('desk.ask')
class AskDesk {
  @IsString() who!: string;
}

@Event('desk.asked', { version: 3 })
class Asked {
  @IsInt() count!: number;
}

const toDesk = translate(AskHall, AskDesk, ({ who }) => ({ who }));
const toHall = translate(AskDesk, AskHall, ({ who }) => ({ who }));
const first = upcast(Asked, { from: 1, to: 2 }, (old) => old);
const second = upcast(Asked, { from: 2, to: 3 }, (old) => old);

describe('the way of a type through transforms', () => {
  it('passes those that take it, in their order, each once', () => {
    expect(wayOf([toDesk, toHall], 'hall.ask')).toEqual({ passes: [toDesk.name, toHall.name], gives: ['hall.ask'] });
    expect(wayOf([toHall, toDesk], 'hall.ask')).toEqual({ passes: [toDesk.name], gives: ['desk.ask'] });
    expect(wayOf([toHall, toDesk], 'desk.asked')).toEqual({ passes: [], gives: ['desk.asked'] });
  });

  it('passes those that take every type, and stays what it is', () => {
    const packed = compress();
    expect(wayOf([packed, toDesk], 'hall.ask')).toEqual({ passes: [packed.name, toDesk.name], gives: ['desk.ask'] });
  });
});

describe('what becomes a handled type on the way in', () => {
  it('is the type itself, with the steps of its old versions', () => {
    expect(arrivalsOf([first, second], 'desk.asked')).toEqual([
      { type: 'desk.asked', passes: [first.name, second.name] },
    ]);
    expect(arrivalsOf([], 'desk.asked')).toEqual([{ type: 'desk.asked', passes: [] }]);
  });

  it('is what transforms make it of', () => {
    expect(arrivalsOf([toDesk], 'desk.ask')).toEqual([{ type: 'hall.ask', passes: [toDesk.name] }]);
  });
});
