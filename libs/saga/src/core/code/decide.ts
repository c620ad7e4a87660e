import { codeOf } from '../definition.js';
import type { Ask, Course, SagaDefinition } from '../definition.js';
import type { SagaInstance } from '../instance.js';
import { next } from '../next.js';
import type { CodeRun } from '../run.js';
import type { SagaInput, Transition } from '../transition.js';
import type { CodeState } from './code-state.js';
import { NotPlayed } from './not-played.js';
import { playerOf } from './player-of.js';

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
      if (course) return course;
      const play = async (): Promise<void> => void courses.push(await player.play(run, state as CodeState, owner));
      throw new NotPlayed(owner.saga, play);
    };
    try {
      return next({ ...definition, body: [{ ...node, ask }] }, instance, input, at);
    } catch (open) {
      if (!(open instanceof NotPlayed)) throw open;
      await open.play();
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
