import { ConfigurationError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import type { EventClass } from './stored-event.js';

/** Says how one event changes the state. */
export type On<State> = <Event extends object>(
  event: MessageClass<Event>,
  evolve: (state: State, event: Event) => State,
) => EvolvesOn<State, Event>;

/** How one event changes the state, as `on` says it. */
export interface EvolvesOn<State, Event extends object = object> {
  readonly contract: MessageClass<Event>;
  evolve(state: State, event: Event): State;
}

/** The events that an `evolve` takes. */
export type EventOf<Evolves> = Evolves extends { readonly contract: MessageClass<infer Event> } ? Event : never;

/** How the events of one type change the state. */
export type Evolves<State> = EvolvesOn<State> & EventClass;

export function onEvent<State, Event extends object>(
  contract: MessageClass<Event>,
  evolve: (state: State, event: Event) => State,
): EvolvesOn<State, Event> {
  return { contract, evolve };
}

/** @throws ConfigurationError for an event that stands there twice, or what is no event */
export function evolvesByType<State>(
  label: string,
  evolves: readonly EvolvesOn<State>[],
): ReadonlyMap<string, Evolves<State>> {
  const found = new Map<string, Evolves<State>>();
  for (const { contract, evolve } of evolves) {
    const { kind, type, version } = contractOf(contract);
    if (kind !== 'event') throw new ConfigurationError(`${label} evolves on ${type}, a ${kind}: only events change it`);
    if (found.has(type)) throw new ConfigurationError(`${label} evolves on ${type} twice: keep one of them`);
    found.set(type, { contract, version, evolve });
  }
  return found;
}
