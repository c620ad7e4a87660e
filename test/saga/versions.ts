/** An order in three versions: goods are packed in the second one, and counted first in the third. */
import { Event } from '@millrace/messages';
import { saga, Saga } from '@millrace/saga';
import { IsInt, IsString } from 'class-validator';

@Event('shop.ordered', { key: 'order' })
export class Ordered {
  @IsString() readonly order: string;
  @IsInt() readonly pieces: number;

  constructor(order: string, pieces: number) {
    this.order = order;
    this.pieces = pieces;
  }
}

@Event('shop.paid', { key: 'order' })
export class Paid {
  @IsString() readonly order: string;

  constructor(order: string) {
    this.order = order;
  }
}

/** What was done, by `<order> <step>`. */
export const done: string[] = [];

const note =
  (step: string) =>
  ({ order }: { readonly order: string }) =>
    void done.push(`${order} ${step}`);

@Saga('order')
export class OrderOne {
  readonly definition = saga<{ order: string; pieces: number }>()
    .startsOn(Ordered, ({ order, pieces }) => ({ order, pieces }))
    .step('reserve', (s) => s.calls(note('reserve')).compensates(note('release')))
    .waitFor('payment', Paid)
    .step('ship', (s) => s.calls(note('ship')));
}

@Saga('order', { version: 2 })
export class OrderTwo {
  readonly definition = saga<{ order: string; boxes: number }>()
    .startsOn(Ordered, ({ order, pieces: boxes }) => ({ order, boxes }))
    .step('reserve', (s) => s.calls(note('reserve')).compensates(note('release')))
    .waitFor('payment', Paid)
    .step('pack', (s) => s.calls(({ order, boxes }) => void done.push(`${order} pack ${boxes}`)))
    .step('ship', (s) => s.calls(note('ship')));
}

@Saga('order', { version: 3 })
export class OrderThree {
  readonly definition = saga<{ order: string; boxes: number }>()
    .startsOn(Ordered, ({ order, pieces: boxes }) => ({ order, boxes }))
    .step('count', (s) => s.calls(note('count')))
    .step('reserve', (s) => s.calls(note('reserve')).compensates(note('release')))
    .waitFor('payment', Paid)
    .step('ship', (s) => s.calls(note('ship')));
}
