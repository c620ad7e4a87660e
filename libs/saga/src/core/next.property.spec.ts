import fc from 'fast-check';
import { formatCommandId, parseCommandId } from './command-id.js';
import type { Direction } from './command-id.js';
import { stepsOf } from './definition.js';
import { isOver } from './instance.js';
import type { SagaInstance } from './instance.js';
import { next } from './next.js';
import { OrderPlaced, placeOrder } from './place-order.fixture.js';
import type { PlaceOrderState } from './place-order.fixture.js';
import type { SagaInput } from './transition.js';

/** Everything that the world can do to a saga, once. */
type Blow = 'success' | 'failure' | 'timer' | 'late' | 'repeat' | 'foreign' | 'unknown' | 'start';
const HARMLESS: readonly Blow[] = ['repeat', 'foreign', 'unknown', 'start'];

const SUCCESS = ['catalog.stock-reserved', 'customer.credit-checked', 'payment.captured', 'order.confirmed-reply'];
const FAILURE = ['catalog.out-of-stock', 'customer.not-creditworthy', 'payment.declined', 'order.unwilling'];
/** The step after the pivot. */
const PIVOT = '4';

const blows = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<Blow>('success') },
    { weight: 4, arbitrary: fc.constantFrom<Blow>('failure', 'timer') },
    { weight: 2, arbitrary: fc.constantFrom<Blow>('late', ...HARMLESS) },
  ),
  { maxLength: 80 },
);

describe('whatever happens to a saga', () => {
  it('it has ended, or waits for a command that it has sent, and has a timer', () => {
    check(({ instance, timer }) => {
      if (isOver(instance)) expect(['completed', 'compensated', 'parked']).toContain(instance.status);
      expect(timer).toBe(instance.wakeAt);
      expect(timer === undefined).toBe(isOver(instance));
    });
  });

  it('it never sends the same command id twice, and moves to the next attempt only after the one before', () => {
    check(({ sent }) => {
      expect(new Set(sent).size).toBe(sent.length);
      sent.forEach((id, index) => {
        const { attempt, ...command } = parseCommandId(id)!;
        if (attempt > 1) expect(sent[index - 1]).toBe(formatCommandId({ ...command, attempt: attempt - 1 }));
      });
    });
  });

  it('it undoes in strictly reverse order every step that was done or may have been, and only those', () => {
    check(({ instance }) => {
      const steps = (direction: Direction, what: string) =>
        instance.history.filter((h) => h.direction === direction && h.what === what).map((h) => h.step);
      const touched = new Set([...steps('do', 'done'), ...steps('do', 'timed-out')]);
      const undoable = stepsOf(placeOrder)
        .filter((step) => step.undo && touched.has(step.name))
        .map((step) => step.name);
      const undone = steps('undo', 'sent');
      expect(undoable.reverse().slice(0, undone.length)).toEqual(undone);
      if (instance.status === 'compensated') expect(steps('undo', 'done')).toEqual(undone);
      if (instance.status === 'compensated') expect(undone).toHaveLength(undoable.length);
    });
  });

  it('it never turns round after the pivot', () => {
    check(({ instance, sent }) => {
      if (sent.some((id) => parseCommandId(id)!.path === PIVOT)) {
        expect(instance.failure).toBeUndefined();
        expect(['running', 'completed']).toContain(instance.status);
      }
    });
  });

  it('it records one start, at most one turn, and one end or none', () => {
    check(({ instance, recorded }) => {
      const counts = new Map<string, number>();
      for (const name of recorded) counts.set(name, (counts.get(name) ?? 0) + 1);
      expect(counts.get('SagaStarted')).toBe(1);
      expect(counts.get('SagaTurned') ?? 0).toBe(instance.failure ? 1 : 0);
      expect((counts.get('SagaEnded') ?? 0) + (counts.get('SagaParked') ?? 0)).toBe(isOver(instance) ? 1 : 0);
    });
  });

  it('it ends as soon as everybody answers again', () => {
    check((world) => {
      for (let i = 0; i < 40 && !isOver(world.instance); i++) world.suffer(i % 2 === 0 ? 'success' : 'timer');
      expect(isOver(world.instance)).toBe(true);
    });
  });
});

function check(holds: (world: World) => void): void {
  fc.assert(
    fc.property(blows, (sequence) => {
      const world = new World();
      for (const blow of sequence) world.suffer(blow);
      holds(world);
    }),
    { numRuns: 300 },
  );
}

/** A saga and everything around it that it can notice. */
class World {
  instance!: SagaInstance<PlaceOrderState>;
  readonly sent: string[] = [];
  readonly recorded: string[] = [];
  timer: number | undefined;
  private last: SagaInput = { kind: 'start', id: 'a/b', input: new OrderPlaced('a/b', 990) };
  private now = 0;

  constructor() {
    this.feel(this.last);
  }

  suffer(blow: Blow): void {
    const { history: _, ...before } = this.instance;
    const over = isOver(this.instance);
    const moved = this.feel(this.inputOf(blow));
    if (over || HARMLESS.includes(blow)) expect(moved).toBe(false);
    if (!moved) expect(this.instance).toMatchObject(before);
  }

  private inputOf(blow: Blow): SagaInput {
    const current = this.sent.at(-1)!;
    switch (blow) {
      case 'success':
        return this.answer(current, 'success');
      case 'failure':
        return this.answer(current, 'failure');
      case 'late':
        return this.answer(this.sent.at(-2) ?? current, this.sent.length % 2 ? 'success' : 'failure');
      case 'timer':
        return { kind: 'wake' };
      case 'repeat':
        return this.last;
      case 'foreign':
        return this.answer(current.replace('a%2Fb', 'a'), 'success');
      case 'unknown':
        return { ...this.answer(current.replace('/a', '/b'), 'success'), type: 'nobody.knows' } as SagaInput;
      case 'start':
        return { kind: 'start', id: 'a/b', input: new OrderPlaced('a/b', 1) };
    }
  }

  private answer(inReplyTo: string, outcome: 'success' | 'failure'): SagaInput {
    const command = parseCommandId(inReplyTo)!;
    const types = outcome === 'success' ? SUCCESS : FAILURE;
    const step = command.path === PIVOT ? 3 : Number(command.path);
    const type = command.direction === 'do' ? (types[step] ?? 'any.reply') : 'any.reply';
    return { kind: 'reply', inReplyTo, outcome, type, data: {} };
  }

  private feel(input: SagaInput): boolean {
    // Time passes, but nothing is due before its time.
    this.now = input.kind === 'wake' ? (this.timer ?? this.now) : this.now + 1;
    // What is due is gone with the message that it becomes.
    if (input.kind === 'wake') this.timer = undefined;
    const transition = next(placeOrder, this.instance, input, { now: this.now });
    if (transition.outcome === 'noted') this.instance = transition.instance;
    if (transition.outcome !== 'moved') {
      expect(transition.reason).not.toBe('');
      return false;
    }
    if (input.kind !== 'wake') this.last = input;
    this.instance = JSON.parse(JSON.stringify(transition.instance)) as SagaInstance<PlaceOrderState>;
    for (const action of transition.actions) {
      if (action.kind === 'send') this.sent.push(action.id);
      if (action.kind === 'record') this.recorded.push(action.event.constructor.name);
      if (action.kind !== 'wake') continue;
      if (action.at !== undefined) expect(action.at).toBeGreaterThan(this.now);
      this.timer = action.at;
    }
    return true;
  }
}
