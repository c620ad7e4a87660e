import { codeOf } from '../definition.js';
import type { Ask, CodeNode, CodeOwner, Course, SagaDefinition } from '../definition.js';
import type { SagaInstance } from '../instance.js';
import { next } from '../next.js';
import type { CodeRun } from '../run.js';
import type { SagaInput, Transition } from '../transition.js';
import type { CodeState } from './code-state.js';
import { CodeOperations } from './code-operations.js';
import { Player } from './player.js';

/**
 * As `next`, also for sagas that are written as code. What such code does is known only when it has run, which takes a moment,
 * and `next` does not wait. But it always decides the same: so when it asks for what is not known yet, the code runs on to
 * there, and `next` decides again. A promise only for such sagas.
 */
export function decide<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance<State> | undefined,
  input: SagaInput,
  at: { readonly now: number },
): Transition<State> | Promise<Transition<State>> {
  const node = codeOf(definition);
  return node ? decideByCode(definition, node, instance, input, at) : next(definition, instance, input, at);
}

async function decideByCode<State>(
  definition: SagaDefinition<State>,
  node: NonNullable<ReturnType<typeof codeOf<State>>>,
  instance: SagaInstance<State> | undefined,
  input: SagaInput,
  at: { readonly now: number },
): Promise<Transition<State>> {
  const player = playerOf(node);
  const courses: Course[] = [];
  for (;;) {
    let asked = 0;
    const ask: Ask = (run, state, owner) => {
      const course = courses[asked++];
      if (!course) throw new NotPlayed(run, state, owner);
      return course;
    };
    try {
      return next({ ...definition, body: [{ ...node, ask }] }, instance, input, at);
    } catch (open) {
      if (!(open instanceof NotPlayed)) throw open;
      courses.push(await player.play(open.run, open.state as CodeState, open.owner));
    }
  }
}

/** A definition with the nodes that the code of an instance has made; any other as it is. */
export async function played<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance<State>,
): Promise<SagaDefinition<State>> {
  const node = codeOf(definition);
  const run = instance.run.runs[0] as CodeRun | undefined;
  if (!node || !run) return definition;
  const { nodes } = await playerOf(node).play(run, instance.state as CodeState, instance);
  return { ...definition, body: [{ ...node, nodes }] };
}

function playerOf(node: unknown): Player {
  return new Player(node as CodeNode<CodeState>, (player, owner) => new CodeOperations(player, owner));
}

/** The engine asks for what the code does, which is not known yet. */
class NotPlayed extends Error {
  constructor(
    readonly run: CodeRun,
    readonly state: object,
    readonly owner: CodeOwner,
  ) {
    super('the code has not been run to here: use decide(), which runs it, in place of next()');
  }
}
