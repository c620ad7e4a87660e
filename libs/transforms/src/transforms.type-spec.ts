import { Command, Event } from '@millrace/messages';
import { aggregate } from './aggregate.js';
import { enrich } from './enrich.js';
import { filter } from './filter.js';
import { normalize } from './normalize.js';
import { redact } from './redact.js';
import { recipientList, route } from './route.js';
import { routingSlip } from './routing-slip.js';
import { split } from './split.js';
import { translate } from './translate.js';
import { downcast, upcast } from './versions.js';
import { wireTap } from './wire-tap.js';

@Event('shop.placed')
class Placed {
  id!: string;
  note?: string;
  lines!: readonly { sku: string; cents: number; gift?: { text: string } }[];
}

@Command('depot.ship')
class Ship extends Command<object> {
  orderId!: string;
  sku!: string;
  urgent?: boolean;
}

@Event('shop.priced')
class Priced {
  id!: string;
  lines!: readonly { sku: string; cents: number; gift?: { text: string } }[];
  total!: number;
}

translate(Placed, Ship, ({ id, lines }) => ({ orderId: id, sku: lines[0]!.sku }));
translate(Placed, Ship, ({ id }) => Object.assign(new Ship(), { orderId: id, sku: 'a' }));
// @ts-expect-error -- sku is missing
translate(Placed, Ship, ({ id }) => ({ orderId: id }));
// @ts-expect-error -- a number is no order id
translate(Placed, Ship, () => ({ orderId: 7, sku: 'a' }));
// @ts-expect-error -- Placed has no customer
translate(Placed, Ship, ({ customer }) => ({ orderId: customer, sku: 'a' }));
// @ts-expect-error -- Ship has no `urgnt`
translate(Placed, Ship, ({ id }) => ({ orderId: id, sku: 'a', urgnt: true }));

enrich(Placed, Priced, ({ lines }) => ({ total: lines.length }));
enrich(Placed, Placed, async () => ({ note: 'x' }));
// @ts-expect-error -- the total is missing
enrich(Placed, Priced, () => ({}));
// @ts-expect-error -- a text is no total
enrich(Placed, Priced, () => ({ total: '7' }));

redact(Placed, 'id', 'note', 'lines.sku', 'lines.gift', 'lines.gift.text');
redact(Placed, { id: 'x', 'lines.cents': (cents) => cents - 1, 'lines.gift.text': '' });
// @ts-expect-error -- there is no e-mail
redact(Placed, 'email');
// @ts-expect-error -- a required number can neither be a text nor be left out
redact(Placed, 'lines.cents');
// @ts-expect-error -- lines have no price
redact(Placed, { 'lines.price': 7 });
// @ts-expect-error -- cents are a number
redact(Placed, { 'lines.cents': 'none' });

const isErp = (data: unknown): data is { ordnr: number } => typeof data === 'object';
normalize(Ship)
  .accepts(Placed, ({ id }) => ({ orderId: id, sku: 'a' }))
  .accepts('erp.ordr', isErp, ({ ordnr }) => ({ orderId: String(ordnr), sku: 'a' }));
// @ts-expect-error -- sku is missing
normalize(Ship).accepts(Placed, ({ id }) => ({ orderId: id }));
// @ts-expect-error -- the shape has no `no`
normalize(Ship).accepts('erp.ordr', isErp, ({ no }) => ({ orderId: String(no), sku: 'a' }));

split(Placed, Ship, ({ id, lines }) => lines.map(({ sku }) => ({ orderId: id, sku })));
// @ts-expect-error -- the parts are not shipments
split(Placed, Ship, ({ lines }) => lines);

route(Placed, ['books', 'rest'], ({ id }) => (id === 'b' ? 'books' : 'rest'));
// @ts-expect-error -- nobody declared 'toys'
route(Placed, ['books', 'rest'], () => 'toys');
recipientList(Placed, ['a', 'b'], () => ['a', 'b']);
// @ts-expect-error -- nobody declared 'c'
recipientList(Placed, ['a', 'b'], () => ['a', 'c']);
routingSlip(Ship, ['cut', 'paint'], ({ urgent }) => (urgent ? ['cut'] : ['cut', 'paint']));
// @ts-expect-error -- nobody declared 'pack'
routingSlip(Ship, ['cut', 'paint'], () => ['pack']);

filter(Placed, ({ lines }) => lines.length > 0);
// @ts-expect-error -- a length is no answer
filter(Placed, ({ lines }) => lines.length);

wireTap(Placed, Ship, ({ id }) => ({ orderId: id, sku: '' }));
// @ts-expect-error -- sku is missing
wireTap(Placed, Ship, ({ id }) => ({ orderId: id }));

aggregate(Ship, Priced, {
  by: ({ orderId }) => orderId,
  count: 2,
  combine: ([first]) => ({ id: first!.orderId, lines: [], total: 1 }),
});
// @ts-expect-error -- the total is missing
aggregate(Ship, Priced, { by: ({ orderId }) => orderId, count: 2, combine: () => ({ id: 'a', lines: [] }) });
// @ts-expect-error -- a number is no correlation
aggregate(Ship, Priced, { by: () => 7, count: 2, combine: () => undefined });

upcast(Placed, { from: 1, to: 2 }, (old: { no: number }) => ({ id: String(old.no) }));
// @ts-expect-error -- the old shape has no name
upcast(Placed, { from: 1, to: 2 }, (old: { no: number }) => ({ id: old.name }));
downcast(Placed, { from: 2, to: 1 }, ({ id }: Placed) => ({ no: Number(id) }));
// @ts-expect-error -- Placed has no number
downcast(Placed, { from: 2, to: 1 }, ({ no }: Placed) => ({ no }));
