import { Command, Event } from '@millrace/messages';
import { Projection, projectionOf, Projects } from './projection.js';
import type { View } from './view.js';

@Event('desk.sold')
class Sold {}

@Event('desk.returned')
class Returned {}

@Command('desk.sell')
class Sell extends Command<Sold> {}

@Projection('sales', { version: 3 })
class Sales {
  @Projects(Sold) sold(_event: Sold, view: View<number>): void {
    view.put('n', 1);
  }
}

@Projection('all-sales')
class AllSales extends Sales {
  @Projects(Returned) returned(): void {}
}

describe('the declaration of a projection', () => {
  it('names its view, with the version', () => {
    expect(projectionOf(Sales)).toMatchObject({ projection: 'sales', version: 3, name: 'sales.v3' });
  });

  it('inherits the methods of its parent', () => {
    expect([...projectionOf(AllSales).methods.keys()]).toEqual(['desk.sold', 'desk.returned']);
  });

  it('is required', () => {
    class Plain {}
    expect(() => projectionOf(Plain)).toThrow("Plain is not a projection: decorate it with @Projection('name')");
  });

  it('takes at least one event', () => {
    @Projection('empty')
    class Empty {}
    expect(() => projectionOf(Empty)).toThrow('projection Empty takes no event');
  });

  it('has one method for an event', () => {
    expect(() => {
      class Twice {
        @Projects(Sold) first(): void {}
        @Projects(Sold) second(): void {}
      }
      return Twice;
    }).toThrow('Twice.second and first both project desk.sold');
  });

  it('projects events only, in versions from 1', () => {
    expect(() => Projects(Sell)({}, 'sell', {})).toThrow('desk.sell, a command: only events are projected');
    expect(() => Projection('sales', { version: 0 })).toThrow(
      "projection 'sales' has version: 0; it must be an integer of at least 1",
    );
    expect(() => Projection('Sales list')).toThrow('projection "Sales list" cannot be used');
  });
});
