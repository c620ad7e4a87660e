import { isDeepStrictEqual } from 'node:util';
import { deepStrictEqual } from 'node:assert';
import type { PartitionStore } from '@millrace/broker';
import { playableDefinition, scenario } from '@millrace/saga';
import type { PlayableSaga, PlayedInput, SagaInstance, Scenario } from '@millrace/saga';
import { cameAbout } from './came-about.js';
import { ScriptedService } from './scripted-service.js';

export interface PlayOnOptions {
  /** The context that runs the saga. Default: that of the command that starts it, or of an event that it publishes, or the saga's name. */
  readonly context?: string;
}

/** When scripts begin, ms since 1970: 2026-01-01. */
const BEGINNING = Date.UTC(2026, 0, 1);

/**
 * Plays a script of `scenario` on a real store: first without infrastructure, then once more with a real orchestrator, whose
 * commands, replies, events and timers go through the store. After each line the stored instance has to be what the pure
 * engine says, byte for byte, and each command has to have arrived. Time is the script's: a sleep of a month takes no time.
 *
 * ```ts
 * const { state } = await playOn(store, PlaceOrder, (saga) =>
 *   saga.given(new OrderPlaced('4711', 990)).expect(new ReserveStock('4711')).reply(new StockReserved('r1')) // ...
 * );
 * ```
 *
 * Functions, children and locks answer as the script says; a function that has begun ends before anything else reaches the saga.
 * Each id can be played once on a store, which is left open.
 *
 * @returns the instance, as it is stored
 * @throws Error for a line that does not hold, and when the store's instance is another one than the script's
 */
export async function playOn<State>(
  store: PartitionStore,
  saga: PlayableSaga<State>,
  script: (saga: Scenario<State>) => unknown,
  options: PlayOnOptions = {},
): Promise<SagaInstance<State>> {
  const definition = playableDefinition(saga);
  const inputs = await scenario(definition, playedBy(script), { now: BEGINNING });
  const service = new ScriptedService(store, definition, inputs, options.context);
  const known = await service.stored();
  if (known) {
    throw new Error(
      `saga ${known.saga} ${known.id} is on this store already: play it with another id, or on a fresh store`,
    );
  }
  await service.start();
  try {
    for (const played of inputs) {
      service.clock.time = played.at;
      await service.deliver(played.input);
      await isStored(service, played);
      await service.hasSent(played.actions);
    }
    return (await service.stored()) as SagaInstance<State>;
  } finally {
    await service.stop();
  }
}

/** What a script does, as the inputs of the saga. */
function playedBy<State>(script: (saga: Scenario<State>) => unknown) {
  return async (saga: Scenario<State>): Promise<readonly PlayedInput[]> => {
    await script(saga);
    return saga.played;
  };
}

async function isStored<State>(service: ScriptedService<State>, { input, instance }: PlayedInput): Promise<void> {
  const same = async () => isDeepStrictEqual(await service.stored(), instance);
  const late = await cameAbout('it is not stored', same).catch((error: unknown) => error);
  if (late === undefined) return;
  const { saga, id } = instance;
  const found = [difference(await service.stored(), instance), ...service.errors].join('\n');
  throw new Error(`saga ${saga} ${id} is stored otherwise after a ${input.kind} (+ stored, - script):\n${found}`, {
    cause: late,
  });
}

function difference(actual: unknown, expected: unknown): string {
  try {
    deepStrictEqual(actual, expected);
    return '';
  } catch (error) {
    const { message } = error as Error;
    return message.slice(message.indexOf('\n\n') + 2);
  }
}
