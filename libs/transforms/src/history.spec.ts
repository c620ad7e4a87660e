import { Event } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { historyProblems, renamed, retired } from './history.js';
import { pipeline } from './pipeline.js';
import { upcast } from './versions.js';

@Event('order.placed', { version: 2 })
class OrderPlaced {}
@Event('order.created')
class OrderCreated {}

const old: Envelope = { specversion: '1.0', id: '1', source: '/order', type: 'order.created', data: { cents: 5 } };
const step = upcast(OrderPlaced, { from: 1, to: 2 }, ({ cents }) => ({ total: cents }));

describe('a renamed type', () => {
  it('is what it is called today, and goes on through its upcasts', () => {
    expect(pipeline([renamed('order.created', OrderPlaced), step])(old)).toMatchObject({
      type: 'order.placed',
      schemaversion: 2,
      data: { total: 5 },
    });
  });

  it('is declared before them, once, and not in a circle', () => {
    const rename = renamed('order.created', OrderPlaced);
    expect(historyProblems([rename, step])).toEqual([]);
    expect(historyProblems([step, rename])).toEqual([
      `'renamed order.created -> order.placed' gives what 'upcast order.placed 1 -> 2' takes: declare it before that`,
    ]);
    expect(historyProblems([rename, renamed('order.created', OrderPlaced)])).toEqual([
      `'${rename.name}' and '${rename.name}' take one type: keep one`,
    ]);
    expect(historyProblems([rename, renamed('order.placed', OrderCreated)])).toEqual([
      `'renamed order.placed -> order.created' gives what 'renamed order.created -> order.placed' takes: declare it before that`,
    ]);
    expect(() => renamed('order.placed', OrderPlaced)).toThrow('is a cycle');
  });
});

describe('a retired type', () => {
  it('is not renamed or upcast as well', () => {
    expect(historyProblems([retired('order.flagged')])).toEqual([]);
    expect(historyProblems([retired('order.placed'), step])).toEqual([
      "'retired order.placed', but 'upcast order.placed 1 -> 2' takes or gives it: keep one",
    ]);
  });
});
