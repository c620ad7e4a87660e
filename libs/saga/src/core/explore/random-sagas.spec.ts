import { Command, Event, Reply } from '@millrace/messages';
import fc from 'fast-check';
import type { SagaDefinition } from '../definition.js';
import { BlockBuilder } from '../dsl/block-builder.js';
import { saga } from '../dsl/saga.js';
import { explore } from '../explore.js';
import { Saga } from '../saga-class.js';

/** How many sagas are explored, and how far each. */
const RUNS = Number(process.env.EXPLORED_SAGAS ?? 24);
const MAX_STATES = Number(process.env.EXPLORED_STATES ?? 1000);

describe('sagas of any shape', () => {
  it('hold what every saga has to hold, whatever happens to them', () => {
    const seen = { sagas: 0, exhausted: 0, states: 0, transitions: 0 };
    fc.assert(
      fc.property(sagaShapes, (shape) => {
        const result = explore(sagaOf(shape), { maxStates: MAX_STATES });
        seen.sagas++;
        if (result.exhausted) seen.exhausted++;
        seen.states += result.states;
        seen.transitions += result.transitions;
      }),
      { numRuns: RUNS },
    );
    console.log('explored', seen);
    expect(seen.exhausted).toBeGreaterThan(0);
  }, 600_000);
});

// Sagas of any shape: every kind of node in every other.

@Event('any.wanted', { key: 'id' })
class Wanted {
  constructor(readonly id: string) {}
}

@Event('any.agreed', { key: 'id' })
class Agreed {
  constructor(readonly id: string) {}
}

@Reply('any.done')
class Done {
  constructor(readonly what: string) {}
}

@Reply('any.refused', { failure: true })
class No {
  constructor(readonly why: string) {}
}

@Command('any.do')
class Do extends Command<Done, No> {
  constructor(readonly what: string) {
    super();
  }
}

@Command('any.undo')
class Undo extends Command<Done> {
  constructor(readonly what: string) {
    super();
  }
}

@Saga('any-child')
class Child {
  readonly definition = saga<object>()
    .startsByCall(() => ({}))
    .step('work', (s) => s.calls(() => undefined));
}

/** The shape of one node. */
type Shape =
  | { readonly kind: 'send' | 'call'; readonly undo: boolean; readonly retries: number }
  | { readonly kind: 'child' | 'sleep' }
  | { readonly kind: 'lock'; readonly otherwise: 'wait' | 'fail' }
  | { readonly kind: 'wait'; readonly how: 'ever' | 'within' | 'orElse' }
  | { readonly kind: 'choice'; readonly chosen: number; readonly branches: readonly Shapes[] }
  | { readonly kind: 'parallel'; readonly join: number; readonly branches: readonly Shapes[] }
  | { readonly kind: 'each'; readonly items: number; readonly atOnce: number; readonly body: Shapes };

type Shapes = readonly Shape[];

interface SagaShape {
  readonly body: Shapes;
  /** After the pivot. Undefined: there is none. */
  readonly forward: Shapes | undefined;
  readonly within: boolean;
  readonly farewell: boolean;
}

const leaf: fc.Arbitrary<Shape> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('send' as const, 'call' as const),
      undo: fc.boolean(),
      retries: fc.nat({ max: 1 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('child' as const, 'sleep' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('lock' as const),
      otherwise: fc.constantFrom('wait' as const, 'fail' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      how: fc.constantFrom('ever' as const, 'within' as const, 'orElse' as const),
    }),
  },
);

/** Leaves of a saga after its pivot: all of them succeed in the end. */
const forwardLeaf: fc.Arbitrary<Shape> = leaf.filter(
  (shape) => shape.kind !== 'child' && shape.kind !== 'lock' && !(shape.kind === 'wait' && shape.how === 'within'),
);

/** @param depth how deep nodes stand in others */
function node(depth: number, leaves: fc.Arbitrary<Shape>, joins: boolean): fc.Arbitrary<Shape> {
  if (depth === 0) return leaves;
  const block = (most: number) => fc.array(node(depth - 1, leaves, joins), { minLength: 1, maxLength: most });
  const branches = fc.array(block(2), { minLength: 1, maxLength: 2 });
  return fc.oneof(
    { weight: 2, arbitrary: leaves },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('choice' as const), chosen: fc.nat({ max: 1 }), branches }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('parallel' as const),
        join: joins ? fc.integer({ min: 1, max: 2 }) : fc.constant(2),
        branches,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('each' as const),
        items: fc.nat({ max: 2 }),
        atOnce: fc.integer({ min: 1, max: 2 }),
        body: block(2),
      }),
    },
  );
}

/** Sagas of any shape, small enough to be explored. */
const sagaShapes: fc.Arbitrary<SagaShape> = fc.record({
  body: fc.array(node(2, leaf, true), { minLength: 1, maxLength: 3 }),
  forward: fc.option(fc.array(node(1, forwardLeaf, false), { minLength: 1, maxLength: 2 }), {
    nil: undefined,
    freq: 1,
  }),
  within: fc.boolean(),
  farewell: fc.boolean(),
});

/** A saga of a shape. */
function sagaOf({ body, forward, within, farewell }: SagaShape): SagaDefinition<Count> {
  const names = { next: 0 };
  const start = saga<Count>().startsOn(Wanted, () => ({ count: 0 }));
  let built = addAll(start as unknown as BlockBuilder, body, false, names) as unknown as typeof start;
  if (forward) {
    const further = built.pivot() as unknown as BlockBuilder;
    built = addAll(further, forward, true, names) as unknown as typeof start;
  }
  const timed = within ? built.within('1h') : built;
  const said = farewell
    ? timed.onCompensated((_, { reason }) => new Undo(reason)).onCompleted(() => new Undo(''))
    : timed;
  return said.named('any');
}

interface Count {
  readonly count: number;
}

const counted = (state: Count): Count => ({ count: state.count + 1 });

function addAll(to: BlockBuilder, shapes: Shapes, forward: boolean, names: { next: number }): BlockBuilder {
  return shapes.reduce((block, shape) => add(block, shape, forward, names), to);
}

function add(to: BlockBuilder, shape: Shape, forward: boolean, names: { next: number }): BlockBuilder {
  const name = `${shape.kind}-${names.next++}`;
  const inside = (shapes: Shapes) => (block: BlockBuilder) => addAll(block, shapes, forward, names);
  const branches = (all: readonly Shapes[]) =>
    Object.fromEntries(all.map((shapes, at) => [`b${at}`, inside(shapes)] as const));
  switch (shape.kind) {
    case 'send':
    case 'call':
      return to.step(name, step(name, shape, forward) as never);
    case 'child':
      return to.child(name, Child, () => ({}), { onCompleted: counted as never });
    case 'lock':
      return to.lock(name, () => name, { otherwise: shape.otherwise });
    case 'sleep':
      return to.sleep(name, '5s');
    case 'wait':
      if (shape.how === 'orElse') return to.waitFor(name, Agreed, { orElse: { within: '20s' } });
      return to.waitFor(name, Agreed, shape.how === 'within' ? { within: '20s' } : {});
    case 'choice':
      return to.choose(name, () => `b${Math.min(shape.chosen, shape.branches.length - 1)}`, branches(shape.branches));
    case 'parallel':
      return to.parallel(name, branches(shape.branches), { join: Math.min(shape.join, shape.branches.length) });
    case 'each':
      return to.each(name, () => Array.from({ length: shape.items }, (_, at) => at), inside(shape.body), {
        atOnce: shape.atOnce,
      });
  }
}

interface AnyStep {
  sends(make: () => object): AnyStep;
  calls(work: () => unknown): AnyStep;
  onReply(reply: unknown, state: unknown): AnyStep;
  onResult(state: unknown): AnyStep;
  failsOn(reply: unknown): AnyStep;
  compensates(how: () => unknown): AnyStep;
  retries(times: number): AnyStep;
  untilDone(): AnyStep;
}

function step(name: string, shape: Extract<Shape, { undo: boolean }>, forward: boolean): (s: AnyStep) => AnyStep {
  return (s) => {
    const sends = shape.kind === 'send';
    const begun = sends ? s.sends(() => new Do(name)).onReply(Done, counted) : s.calls(() => name).onResult(counted);
    if (forward) return begun.untilDone();
    const refusing = sends ? begun.failsOn(No) : begun;
    const undone = shape.undo ? refusing.compensates(() => (sends ? new Undo(name) : undefined)) : refusing;
    return undone.retries(shape.retries);
  };
}
