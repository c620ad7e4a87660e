import { codeOf } from '../definition.js';
import type { Ask, CodeNode, CodeOwner, Course, SagaDefinition, SagaNode } from '../definition.js';
import type { SagaInstance } from '../instance.js';
import type { CodeRun } from '../run.js';
import type { CodeState } from './code-state.js';
import { NotPlayed } from './not-played.js';
import { playerOf } from './player-of.js';

/**
 * What the code of sagas does after what it was told, as far as it has been run. So many decisions can be made at once, one behind
 * the other; `whenKnown` runs the code as far as they need it.
 */
export class KnownCourses {
  private readonly courses = new Map<string, Course>();
  /** What was asked for and not known, the last time. */
  private open: NotPlayed | undefined;

  /** @param shape what is made of each node that code makes */
  constructor(private readonly shape: (node: SagaNode<unknown>) => SagaNode<unknown> = (node) => node) {}

  /**
   * A definition whose code is asked here; any other as it is.
   *
   * @param round code of another round is run anew, whatever is known of it
   */
  asked<State>(definition: SagaDefinition<State>, round = 0): SagaDefinition<State> {
    const node = codeOf(definition);
    if (!node) return definition;
    const ask: Ask = (run, state, owner) => this.courseOf(node, round, run, state, owner);
    return { ...definition, body: [{ ...node, ask }] };
  }

  /** A definition that is asked here, with the nodes that the code of an instance has made; any other as it is. */
  made<State>(definition: SagaDefinition<State>, instance: SagaInstance<State>): SagaDefinition<State> {
    const node = codeOf(definition);
    const run = instance.run.runs[0] as CodeRun | undefined;
    if (!node?.ask || !run) return definition;
    const { nodes } = node.ask(run, instance.state as object, instance);
    return { ...definition, body: [{ ...node, nodes }] };
  }

  /**
   * Does something as often as it comes to what is not known, until it is: its last result counts. What it has changed before has
   * to be begun anew by itself, or be gone on with.
   */
  async whenKnown<T>(attempt: () => T | Promise<T>): Promise<T> {
    for (;;) {
      this.open = undefined;
      try {
        const result = await attempt();
        // Whoever expects an error catches this one, too.
        if (!this.isOpen()) return result;
      } catch (error) {
        if (!this.isOpen()) throw error;
      }
      await this.open!.play();
    }
  }

  private isOpen(): boolean {
    return this.open !== undefined;
  }

  private courseOf<State>(node: CodeNode<State>, round: number, run: CodeRun, state: object, owner: CodeOwner): Course {
    const key = JSON.stringify([round, owner.saga, owner.id, owner.startedAt, run.told, answersIn(run), state]);
    const known = this.courses.get(key);
    if (known) return known;
    this.open = new NotPlayed(owner.saga, async () => {
      const course = await playerOf(node).play(run, state as CodeState, owner);
      this.courses.set(key, { ...course, nodes: course.nodes.map((each) => this.shape(each)) });
    });
    throw this.open;
  }
}

/** How operations have ended, beside their answers, which are in the state. */
function answersIn({ ops }: CodeRun): unknown {
  return ops
    .map(({ type, failed }, at) => (type || failed ? [at, type, failed] : []))
    .filter(({ length }) => length > 0);
}
