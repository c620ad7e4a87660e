import { Command, Event } from '@millrace/messages';
import {
  aggregate,
  claimCheck,
  downcast,
  filter,
  InMemoryClaimStore,
  recipientList,
  redact,
  retired,
  route,
  split,
  translate,
  upcast,
  wireTap,
} from '@millrace/transforms';
import type { Transform } from '@millrace/transforms';
import { Boundary } from './boundary.js';
import type { BoundaryTransforms } from './boundary.js';
import { HandlerGroup } from './handler.js';
import type { HandlerDeclaration } from './handler.js';
import { checkTransforms } from './transform-checks.js';

@Event('shop.placed', { version: 3 })
class Placed {
  id!: string;
}

@Event('shop.noted')
class Noted {
  id!: string;
}

@Command('depot.ship')
class Ship extends Command<object> {
  id!: string;
}

const handler = (type: string, more: Partial<HandlerDeclaration> = {}): HandlerDeclaration => ({
  name: `on ${type}`,
  type,
  context: 'shop',
  log: 'feed',
  handle: () => undefined,
  ...more,
});

function check(transforms: BoundaryTransforms, handlers: HandlerDeclaration[] = [], inbound: Transform[] = []): string {
  const boundary = new Boundary();
  boundary.add(transforms);
  const group = new HandlerGroup('depot.audit', 'audit');
  for (const each of handlers) group.add(each);
  group.inbound = inbound;
  try {
    checkTransforms(boundary, handlers.length > 0 ? [group] : []);
    return 'fine';
  } catch (error) {
    return (error as Error).message;
  }
}

const up = (from: number, to: number) => upcast(Placed, { from, to }, (data) => data);
const placed = handler('shop.placed');
const toNoted = translate(Placed, Noted, ({ id }) => ({ id }));
const books = route(Placed, ['books', 'rest'], () => 'books');
const gathered = aggregate(Placed, Noted, { by: () => 'a', count: 2, combine: () => ({ id: 'a' }) });

describe('the transforms of a service are refused at its start', () => {
  it('when a chain of versions is not whole, wherever it is declared', () => {
    expect(check({ stored: [up(1, 2), up(2, 3)] }, [placed])).toBe('fine');
    const gap = 'transforms cannot work: shop.placed has no upcast from version 2';
    expect(check({ stored: [up(1, 2)] })).toContain(gap);
    expect(check({ inbound: [up(1, 2)] }, [placed])).toContain(gap);
    expect(check({}, [handler('shop.placed', { inbound: [up(1, 2)] })])).toContain(gap);
    expect(check({}, [placed], [up(1, 2)])).toContain(gap);
    expect(check({ stored: [up(1, 2)], inbound: [up(2, 3)] }, [placed])).toBe('fine');
    expect(check({ stored: [up(1, 2), up(2, 3)], inbound: [up(1, 3)] }, [placed])).toContain(
      'two upcasts take version 1',
    );
  });

  it('when one is on the wrong side', () => {
    const down = downcast(Placed, { from: 3, to: 2 }, (data) => data);
    expect(check({ outbound: [down] })).toBe('fine');
    expect(check({ outbound: [up(1, 2), up(2, 3)] })).toContain('is outbound: declare it in stored');
    expect(check({ stored: [down] })).toContain('is in stored: declare it outbound');
    expect(check({ inbound: [down] }, [placed])).toContain('declare it outbound, where it is published');
    expect(check({ inbound: [claimCheck(new InMemoryClaimStore())] }, [placed])).toContain('declare it outbound');
    expect(check({ stored: [filter(Placed, () => true)] })).toContain('what is stored can only be mapped');
    expect(check({ outbound: [gathered as never] })).toContain('an aggregate needs what is consumed');
    expect(check({ outbound: [books] })).toContain('only commands go to another context; route it inbound');
    expect(check({ outbound: [recipientList(Ship, ['north'], () => ['north'])] })).toBe('fine');
  });

  it('when nobody takes a route, and when nobody declares it', () => {
    const on = (at?: string) =>
      handler('shop.placed', { name: `on ${at}`, ...(at === undefined ? {} : { route: at }) });
    expect(check({ inbound: [books] }, [on('books'), on('rest')])).toBe('fine');
    expect(check({ inbound: [books] }, [on('books'), on()])).toBe('fine');
    expect(check({ inbound: [books] }, [on()])).toBe('fine');
    expect(check({ inbound: [books] }, [on('books')])).toContain(
      "'route shop.placed -> books, rest' may choose route 'rest', which no handler of group 'audit' takes",
    );
    expect(check({ inbound: [books] }, [on('toys'), on()])).toContain(
      "on toys takes shop.placed on route 'toys', which no router declares: declared are 'books', 'rest'",
    );
    expect(check({}, [on('toys')])).toContain('declare route(shop.placed');
  });

  it('when one can never act', () => {
    expect(check({}, [handler('shop.noted', { inbound: [toNoted] })])).toBe('fine');
    expect(check({}, [handler('shop.noted', { inbound: [redact(Placed, 'id'), toNoted] })])).toBe('fine');
    expect(check({}, [handler('shop.placed', { inbound: [toNoted] })])).toContain(
      'gives nothing that becomes shop.placed',
    );
    expect(check({}, [placed], [redact(Noted, 'id')])).toContain(
      "'redact shop.noted id' is in the inbound of group 'audit', and nothing there handles what it takes or gives",
    );
    expect(check({ inbound: [redact(Noted, 'id')] }, [placed])).toContain('is in the inbound of the service');
    expect(check({ inbound: [redact(Noted, 'id')] }, [handler('any', { accepts: () => true })])).toBe('fine');
    expect(check({ inbound: [wireTap(Placed, Ship, ({ id }) => ({ id }))] }, [placed])).toBe('fine');
    expect(check({ inbound: [split(Placed, Noted, () => [])] }, [handler('shop.noted')])).toBe('fine');
  });

  it('when one would write for a handler of every instance, which has no commit', () => {
    const everyInstance = { everyInstance: true };
    const noted = (...inbound: Transform[]) => handler('shop.noted', { ...everyInstance, inbound });
    const tap = wireTap(Placed, Ship, ({ id }) => ({ id }));
    const tapped = "'wire-tap shop.placed -> depot.ship' lies before on ";
    expect(check({}, [noted(gathered)])).toContain(
      "'aggregate shop.noted' lies before on shop.noted, which has everyInstance: true and so no commit",
    );
    expect(check({}, [noted(tap, toNoted)])).toContain(tapped);
    expect(check({ inbound: [gathered] }, [noted()])).toContain("'aggregate shop.noted' lies before");
    expect(check({ inbound: [tap] }, [handler('shop.placed', everyInstance)])).toContain(tapped);
    expect(check({ inbound: [tap] }, [handler('any', { ...everyInstance, accepts: () => true })])).toContain(tapped);
    expect(check({ inbound: [tap] }, [noted(toNoted)])).toContain(tapped);
    expect(check({ inbound: [toNoted, tap] }, [noted()])).not.toContain(tapped);
    expect(check({}, [noted(split(Placed, Noted, () => []))])).toBe('fine');
    expect(check({ inbound: [gathered, tap] }, [handler('shop.noted'), placed])).toBe('fine');
  });

  it('when two aggregates would share what they keep', () => {
    expect(check({ inbound: [gathered, gathered] }, [handler('shop.noted')])).toContain('would share what they keep');
  });

  it('when a type is retired, and handled', () => {
    expect(check({ stored: [retired('shop.flagged')] }, [handler('shop.noted')])).toBe('fine');
    expect(check({ stored: [retired('shop.noted')] }, [handler('shop.noted')])).toBe(
      'transforms cannot work: shop.noted is retired, and on shop.noted handles it: keep one',
    );
  });
});
