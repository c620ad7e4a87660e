import { KnownCourses } from '../code/known-courses.js';
import type { SagaDefinition } from '../definition.js';
import { hasEnded } from '../instance.js';
import type { SagaInstance } from '../instance.js';
import { next } from '../next.js';
import { openSteps, openWaits } from '../open-steps.js';
import type { BegunStep } from '../open-steps.js';
import type { AnswerAction, PublishAction, SagaAction, SagaInput } from '../transition.js';

/** What a saga asks somebody to do, and waits for. */
export type Request = Extract<SagaAction, { kind: 'send' | 'call' | 'start-child' | 'undo-child' | 'lock' | 'unlock' }>;

/** One input that was played, when, and what became of it. */
export interface PlayedInput {
  readonly input: SagaInput;
  /** ms since 1970 */
  readonly at: number;
  readonly instance: SagaInstance;
  readonly actions: readonly SagaAction[];
}

/** A saga without infrastructure: what it is now, what it has asked for, and its own time. */
export class PlayedSaga<State> {
  instance: SagaInstance<State> | undefined;
  /** What it has asked for that nobody has looked at yet. */
  unseen: readonly Request[] = [];
  /** What it has said that nobody has looked at yet. */
  said: readonly (PublishAction | AnswerAction)[] = [];
  /** Everything that happened to it. */
  readonly played: PlayedInput[] = [];

  readonly definition: SagaDefinition<State>;

  /** @param courses what is known of its code */
  constructor(
    definition: SagaDefinition<State>,
    public now: number,
    readonly courses: KnownCourses = new KnownCourses(),
  ) {
    this.definition = courses.asked(definition);
  }

  /** @returns why the saga ignores it; undefined: it takes it */
  play(input: SagaInput): string | undefined {
    const transition = next(this.definition, this.instance, input, { now: this.now });
    if (transition.outcome !== 'moved') return transition.reason;
    const { actions } = transition;
    // Stored as JSON between two inputs, so a state that JSON cannot hold shows here.
    this.instance = JSON.parse(JSON.stringify(transition.instance)) as SagaInstance<State>;
    this.played.push({ input, at: this.now, instance: this.instance, actions });
    this.unseen = [...this.unseen, ...actions.filter(isRequest)].filter(({ id }) => this.isOpen(id!));
    this.said = [
      ...this.said,
      ...actions.filter(({ kind }) => kind === 'publish' || kind === 'answer'),
    ] as this['said'];
    return undefined;
  }

  /** Time passes until then; what is due on the way happens when it is due. */
  passUntil(end: number): void {
    while (this.wakeAt !== undefined && this.wakeAt <= end) this.wake();
    this.now = Math.max(this.now, end);
  }

  /** Between two attempts nobody can say anything: time passes until somebody can. */
  skipPauses(): void {
    while (this.wakeAt !== undefined && this.unseen.length === 0 && this.onlyPauses()) this.wake();
  }

  /** The step that has sent a command, or runs a function, and waits for its answer. */
  stepOf(id: string): BegunStep<State> | undefined {
    return this.steps.find(({ path, run: { phase, attempt } }) => id.endsWith(`/${path}/${wayOf(phase)}/${attempt}`));
  }

  isOpen(id: string): boolean {
    const { run } = this.stepOf(id) ?? {};
    return run !== undefined && run.waiting === undefined && run.phase !== 'stuck';
  }

  private get steps(): readonly BegunStep<State>[] {
    return this.instance && !hasEnded(this.instance) ? openSteps(this.made, this.instance) : [];
  }

  private get made(): SagaDefinition<State> {
    return this.courses.made(this.definition, this.instance!);
  }

  private get wakeAt(): number | undefined {
    return this.instance?.wakeAt;
  }

  private wake(): void {
    this.now = Math.max(this.now, this.wakeAt!);
    this.play({ kind: 'wake' });
  }

  private onlyPauses(): boolean {
    const { steps } = this;
    return (
      steps.length > 0 && steps.every(({ run }) => run.waiting) && openWaits(this.made, this.instance!).length === 0
    );
  }
}

function wayOf(phase: string): 'do' | 'undo' {
  return phase === 'undoing' ? 'undo' : 'do';
}

/** A lock that is given back at the end is not asked for: nobody waits for the answer. */
function isRequest(action: SagaAction): action is Request {
  const { kind } = action;
  if (kind === 'unlock') return action.id !== undefined;
  return kind === 'send' || kind === 'call' || kind === 'start-child' || kind === 'undo-child' || kind === 'lock';
}
