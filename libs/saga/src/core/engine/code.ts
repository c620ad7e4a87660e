import { ConfigurationError } from '@millrace/broker';
import type { CodeState } from '../code/code-state.js';
import { NondeterminismError } from '../code/nondeterminism-error.js';
import type { CodeNode, Course } from '../definition.js';
import { isForward, isHalted, isOpen } from '../run.js';
import type { CodeRun, OpFailure, Run } from '../run.js';
import { inside } from './place.js';
import type { Place } from './place.js';
import type { Intervention, Signal } from './signal.js';
import type { Behaviour, Turn } from './turn.js';

/**
 * A saga that is written as code: its operations are nodes that the code makes as it runs. Undone in strictly reverse order of
 * their beginning.
 */
export function codeBehaviour<State>(): Behaviour<State, CodeNode<State>, CodeRun> {
  return { enter, feel, undo: turnBack, stop: turnBack };
}

function enter<State>(turn: Turn<State>, node: CodeNode<State>, place: Place): CodeRun {
  return goOn(turn, node, { phase: 'doing', ops: [], runs: [], told: [] }, place);
}

function feel<State>(
  turn: Turn<State>,
  node: CodeNode<State>,
  run: CodeRun,
  place: Place,
  signal: Signal,
  to: readonly string[],
): CodeRun {
  if (isHalted(run)) return feelHalted(turn, node, run, place, signal, to);
  const course = ask(turn, node, run);
  const changed = differs(course, run);
  if (changed !== undefined) return hold(halt(turn, node, run, place, changed), signal, to);
  const [index, ...rest] = to;
  if (index !== undefined && !run.runs[Number(index)]) {
    turn.ignore('the saga has not come there');
    return run;
  }
  let felt = run;
  for (const [at, before] of run.runs.entries()) {
    if (index === undefined ? !isOpen(before) || turn.taken : Number(index) !== at) continue;
    felt = become(turn, felt, at, signal, () =>
      turn.engine.feel(turn, course.nodes[at]!, before, inside(place, at), signal, rest),
    );
  }
  return felt === run ? run : settle(turn, node, felt, place, course);
}

/** Everything that was done is undone, and what is under way as soon as it is known what there is to undo. */
function turnBack<State>(turn: Turn<State>, node: CodeNode<State>, run: CodeRun, place: Place): CodeRun {
  return run.back ? run : resume(turn, node, { ...run, back: true }, place);
}

// ── code that cannot go on ──────────────────────────────────────────────────────────────────────────────────────────

function feelHalted<State>(
  turn: Turn<State>,
  node: CodeNode<State>,
  run: CodeRun,
  place: Place,
  signal: Signal,
  to: readonly string[],
): CodeRun {
  if (signal.kind === 'intervene') return intervene(turn, node, run, place, signal, to);
  if (signal.kind === 'wake') return run;
  turn.taken = signal.kind === 'event';
  return hold(run, signal, to);
}

function intervene<State>(
  turn: Turn<State>,
  node: CodeNode<State>,
  run: CodeRun,
  place: Place,
  { what }: Intervention,
  to: readonly string[],
): CodeRun {
  if (what === 'retry' && to.length === 0) return resume(turn, node, run, place);
  turn.ignore(
    to.length === 0
      ? 'code that cannot go on is not skipped or resolved: correct it and retry, or cancel or abort the saga'
      : 'the code of this saga cannot go on: first correct and retry that',
  );
  return run;
}

/** Goes on where it could not, with what has happened meanwhile. */
function resume<State>(turn: Turn<State>, node: CodeNode<State>, run: CodeRun, place: Place): CodeRun {
  const { halt: _halt, held = [], ...rest } = run;
  let now = goOn(turn, node, { ...rest, phase: 'doing' }, place);
  for (const { signal, to } of held) {
    turn.taken = false;
    now = feel(turn, node, now, place, signal, to);
  }
  if (held.length > 0) turn.ignore(undefined);
  return now;
}

/** So much is held for code that cannot go on; who sends more to one saga floods it. */
const MAX_HELD = 1000;

function hold(run: CodeRun, signal: Signal, to: readonly string[]): CodeRun {
  const { held = [] } = run;
  if (!isHalted(run) || signal.kind === 'wake' || held.length >= MAX_HELD) return run;
  return { ...run, held: [...held, { signal, to }] };
}

function halt<State>(turn: Turn<State>, node: CodeNode<State>, run: CodeRun, place: Place, reason: string): CodeRun {
  turn.note(node.name, place, run.back ? 'undo' : 'do', 'given-up', { reason });
  turn.stuck.push({ step: node.name, path: place.path, direction: run.back ? 'undo' : 'do', reason });
  return { ...run, phase: 'stuck', halt: reason };
}

/** How the code differs from its journal; undefined: it goes on as it did. */
export function differs(course: Course, { ops, back, returned }: CodeRun): string | undefined {
  if (course.nodes.length < ops.length)
    return course.kind === 'halted' ? course.reason : 'it has begun less than before';
  if (back) return undefined;
  if (course.kind === 'halted') return course.reason;
  if (course.ops.length > ops.length) {
    return worded(new NondeterminismError(ops.length, undefined, course.ops[ops.length]!));
  }
  if (returned || course.kind === 'waiting') return undefined;
  return worded(new NondeterminismError(ops.length, undefined, 'the end of the code'));
}

// ── its way ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function goOn<State>(turn: Turn<State>, node: CodeNode<State>, run: CodeRun, place: Place): CodeRun {
  return settle(turn, node, run, place, ask(turn, node, run));
}

/** Goes on as far as that goes by itself, forward or back. */
function settle<State>(
  turn: Turn<State>,
  node: CodeNode<State>,
  before: CodeRun,
  place: Place,
  known: Course,
): CodeRun {
  let run = before;
  let course = known;
  while (!run.back && !run.returned) {
    if (course.kind === 'halted') return halt(turn, node, run, place, course.reason);
    if (course.kind === 'refused') {
      const { step, reason } = course.failure;
      if (course.ops.some(({ kind }) => kind === 'pivot')) {
        return halt(
          turn,
          node,
          run,
          place,
          `after its pivot a saga only goes forward, and '${step}' was refused: ${reason}`,
        );
      }
      turn.fail(step, reason);
      run = { ...run, back: true };
      break;
    }
    if (course.kind === 'returned') {
      const left = course.ops[run.ops.length];
      if (left && left.kind !== 'pivot') {
        return halt(turn, node, run, place, `its code has returned without waiting for '${left.name}': await it`);
      }
      run = leave(turn, node, begin(turn, run, course, place), course, place);
      break;
    }
    run = begin(turn, run, course, place);
    const op = run.ops.findIndex(({ kind }, at) => kind !== 'pivot' && isSettled(run.runs[at]!) && !isTold(run, at));
    if (op < 0) return moving(turn, node, run, place);
    run = { ...run, told: [...run.told, { op, at: turn.now }] };
    course = ask(turn, node, run);
  }
  if (run.back) return goBack(turn, node, run, place, course);
  return { ...run, phase: phaseOf(run.runs, 'done', 'doing') };
}

/** The operations that the code has made and that have not been begun. */
function begin<State>(turn: Turn<State>, before: CodeRun, { ops, nodes }: Course, place: Place): CodeRun {
  let run = before;
  for (let at = run.ops.length; at < ops.length; at++) {
    const begun: CodeRun = { ...run, ops: [...run.ops, ops[at]!], runs: [...run.runs, NOTHING] };
    run = become(turn, begun, at, undefined, () => turn.engine.enter(turn, nodes[at]!, inside(place, at)));
  }
  return run;
}

const NOTHING: Run = { phase: 'doing' };

/** What one operation has become, and what the code will be told of it. */
function become<State>(
  turn: Turn<State>,
  run: CodeRun,
  at: number,
  signal: Signal | undefined,
  move: () => Run,
): CodeRun {
  const before = run.runs[at]!;
  const failure = turn.failure;
  turn.failure = undefined;
  const after = move();
  const failed = turn.failure as { readonly reason: string } | undefined;
  turn.failure = failure;
  if (after === before) return run;
  const op = run.ops[at]!;
  const reply = signal?.kind === 'reply' ? signal : undefined;
  let what = op;
  if (after.phase === 'done' && reply) what = { ...op, type: reply.type };
  else if (failed && !op.failed) what = { ...op, failed: failureOf(failed.reason, reply) };
  return {
    ...run,
    runs: run.runs.with(at, after),
    ...(what === op ? {} : { ops: run.ops.with(at, what) }),
  };
}

function failureOf(reason: string, reply: Extract<Signal, { kind: 'reply' }> | undefined): OpFailure {
  return reply?.outcome === 'failure' ? { reason, type: reply.type, data: reply.data } : { reason };
}

/** The code has returned. What it has left under way is taken back, as by a `parallel` that has its winners. */
function leave<State>(
  turn: Turn<State>,
  node: CodeNode<State>,
  run: CodeRun,
  course: Extract<Course, { kind: 'returned' }>,
  place: Place,
): CodeRun {
  const change = turn.become({ ...turn.state, output: course.value });
  turn.note(node.name, place, 'do', 'done', change && { change });
  return { ...run, returned: true, runs: stopped(turn, course, run.runs, place) };
}

function goBack<State>(
  turn: Turn<State>,
  node: CodeNode<State>,
  before: CodeRun,
  place: Place,
  course: Course,
): CodeRun {
  const wrong = differs(course, before);
  if (wrong !== undefined) return halt(turn, node, before, place, wrong);
  let runs = stopped(turn, course, before.runs, place);
  for (;;) {
    const at = runs.findLastIndex(({ phase }) => phase !== 'undone');
    const last = runs[at];
    if (last?.phase !== 'done') break;
    runs = runs.with(at, turn.engine.undo(turn, course.nodes[at]!, last, inside(place, at)));
  }
  return { ...before, phase: phaseOf(runs, 'undone', 'undoing'), runs };
}

/** Stops what goes forward; after the pivot that is done first. */
function stopped<State>(turn: Turn<State>, { nodes }: Course, runs: readonly Run[], place: Place): readonly Run[] {
  return runs.map((run, at) => {
    const node = nodes[at]!;
    const mayStop = isForward(run) && !('stopping' in run && run.stopping) && !(node.kind === 'step' && node.untilDone);
    return mayStop ? turn.engine.stop(turn, node, run, inside(place, at)) : run;
  });
}

function moving<State>(turn: Turn<State>, node: CodeNode<State>, run: CodeRun, place: Place): CodeRun {
  if (run.runs.some(isOpen)) return { ...run, phase: phaseOf(run.runs, 'done', 'doing') };
  return halt(
    turn,
    node,
    run,
    place,
    'its code waits for something that is no operation of the saga: do that inside of saga.step',
  );
}

// ── details ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @throws ConfigurationError when nobody can tell */
function ask<State>(turn: Turn<State>, node: CodeNode<State>, run: CodeRun): Course {
  if (!node.ask) {
    throw new ConfigurationError(`saga '${turn.definition.name}' is written as code: use decide() in place of next()`);
  }
  return node.ask(run, turn.state as CodeState, turn.instance);
}

function worded({ name, message }: Error): string {
  return `${name}: ${message}`;
}

function isSettled({ phase }: Run): boolean {
  return phase === 'done' || phase === 'undone';
}

function isTold({ told }: CodeRun, at: number): boolean {
  return told.some(({ op }) => op === at);
}

/** What the whole is when nothing of it is open any more, and until then. */
function phaseOf(runs: readonly Run[], settled: 'done' | 'undone', moving: 'doing' | 'undoing'): CodeRun['phase'] {
  const open = runs.filter(isOpen);
  if (open.length === 0) return settled;
  return open.every(({ phase }) => phase === 'stuck') ? 'stuck' : moving;
}
