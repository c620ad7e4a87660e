import type { Signal } from './engine/signal.js';

/**
 * - `doing`: under way
 * - `done`: has succeeded, and can be undone
 * - `undoing`: is being undone
 * - `undone`: nothing of it remains: undone, refused, or never begun
 * - `stuck`: given up, waits for a person
 */
export type Phase = 'doing' | 'done' | 'undoing' | 'undone' | 'stuck';

/** How far an instance has come with one node of its definition. Plain JSON, stored with every change: so names are short. */
export type Run = StepRun | PauseRun | SequenceRun | ChoiceRun | ForkRun | EachRun | CodeRun;

export interface StepRun {
  readonly phase: Phase;
  /** Of the direction that it goes in; 1 for the first. */
  readonly attempt: number;
  /** Between a failed attempt and the next one. */
  readonly waiting?: true;
  /** When the attempt has met its deadline, or the wait is over, ms since 1970. Absent: never. */
  readonly due?: number;
  /** An earlier attempt may have done it. */
  readonly unsure?: true;
  /** It is to be undone as soon as its outcome is known. */
  readonly stopping?: true;
  /** The key of its command: what undoes it follows it in order. */
  readonly key?: string;
  /** When it is stuck: while it was done, or while it was undone. */
  readonly way?: 'do' | 'undo';
  /** Why it is stuck. */
  readonly reason?: string;
}

/** A sleep, a wait for an event, or a pivot. */
export interface PauseRun {
  readonly phase: Phase;
  readonly due?: number;
}

/** One direction for all that is in it: forward, or `back`. */
interface Directed {
  readonly phase: Phase;
  readonly back?: true;
}

export interface SequenceRun extends Directed {
  /** Of the nodes that have been begun, in their order. */
  readonly runs: readonly Run[];
}

export interface ChoiceRun {
  readonly phase: Phase;
  readonly branch: string;
  readonly body: SequenceRun;
}

export interface ForkRun extends Directed {
  readonly branches: Readonly<Record<string, SequenceRun>>;
  /** The branches that made it done. */
  readonly winners?: readonly string[];
}

export interface EachRun extends Directed {
  readonly items: readonly unknown[];
  /** Of the items that have been begun, in their order. */
  readonly bodies: readonly SequenceRun[];
}

/** The journal of a saga that is written as code: what it has begun, and what it was told, each in its order. */
export interface CodeRun extends Directed {
  readonly ops: readonly Op[];
  /** Of the operations, one for one. */
  readonly runs: readonly Run[];
  readonly told: readonly Told[];
  /** The code has returned; what it left under way is still being taken back. */
  readonly returned?: true;
  /** Why the code cannot go on: it waits for a person. */
  readonly halt?: string;
  /** What happened while it could not go on. */
  readonly held?: readonly HeldSignal[];
}

/** Something that the code has begun. Its name is its own within the run. */
export interface Op {
  readonly kind: OpKind;
  readonly name: string;
  /** Type of the reply that it was answered with. */
  readonly type?: string;
  /** Why it was not done. */
  readonly failed?: OpFailure;
}

export type OpKind = 'step' | 'send' | 'child' | 'lock' | 'sleep' | 'wait' | 'pivot';

export interface OpFailure {
  readonly reason: string;
  /** The reply that refused it. */
  readonly type?: string;
  readonly data?: object;
}

/** The code was told how an operation ended. */
export interface Told {
  /** Index of the operation. */
  readonly op: number;
  /** ms since 1970 */
  readonly at: number;
}

export interface HeldSignal {
  readonly signal: Signal;
  readonly to: readonly string[];
}

/** Whether something still moves, or waits for a person, in a run. */
export function isOpen({ phase }: Run): boolean {
  return phase !== 'done' && phase !== 'undone';
}

/** Whether a run goes forward, or is stuck on the way forward. */
export function isForward(run: Run): boolean {
  if (run.phase !== 'stuck') return run.phase === 'doing';
  if ('attempt' in run) return run.way === 'do';
  return 'body' in run ? !run.body.back : !('back' in run && run.back);
}

/** Whether it is code that cannot go on. */
export function isHalted(run: Run): boolean {
  return 'halt' in run && run.halt !== undefined;
}

/** What a run consists of. */
export function partsOf(run: Run): readonly Run[] {
  if ('runs' in run) return run.runs;
  if ('branches' in run) return Object.values(run.branches);
  if ('bodies' in run) return run.bodies;
  return 'body' in run ? [run.body] : [];
}

/** When the first thing in a run is due, ms since 1970; undefined: nothing is. */
export function dueOf(run: Run): number | undefined {
  if (!isOpen(run) || isHalted(run)) return undefined;
  if ('due' in run) return run.due;
  let first: number | undefined;
  for (const part of partsOf(run)) {
    const due = dueOf(part);
    if (due !== undefined && (first === undefined || due < first)) first = due;
  }
  return first;
}
