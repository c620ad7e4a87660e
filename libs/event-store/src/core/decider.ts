import { checkContext, ConfigurationError } from '@millrace/broker';
import type { AggregateModel, Evolution } from './aggregate-model.js';
import { checkMode } from './chain/chain-rule.js';
import type { ChainMode } from './chain/chain-rule.js';
import { DeciderInstance, replaceState } from './decider-instance.js';
import type { Decided } from './decider-instance.js';
import { evolvesByType, onEvent } from './evolves.js';
import type { EventOf, EvolvesOn, On } from './evolves.js';
import { notPlain } from './plain-json.js';
import { snapshotRule } from './snapshot-options.js';
import type { SnapshotOptions } from './snapshot-options.js';
import type { Snapshotting } from './snapshotting.js';

/** An aggregate as three functions, all of them pure (the Decider pattern, Jérémie Chassaing). */
export interface DeciderOptions<State, Command, Evolves extends EvolvesOn<State>, Refused> {
  /** Its events are kept in the stream `<name>-<id>`. Lower-case letters, digits and hyphens. */
  readonly name: string;
  /** The state before the first event. */
  readonly initial: () => State;
  /** The next state for each event there is. It must not fail and must not decide: the event has happened. */
  readonly evolve: (on: On<State>) => readonly Evolves[];
  /** What happens by a command: an event, several, none (`[]`), or a refusal: `refuse(reason)`. */
  readonly decide: (command: Command, state: State) => Decided<EventOf<Evolves>, Refused>;
  /** Snapshots of the state are taken, as JSON. */
  readonly snapshot?: DeciderSnapshotOptions<State>;
  /** Its events carry a hash chain: see {@link EventStoreOptions.chain}. Default: only where the event store says so. */
  readonly chain?: ChainMode;
}

/** A state that holds a Map, a Date or instances of classes says what is kept of it: give both functions then. */
export interface DeciderSnapshotOptions<State> extends SnapshotOptions<State> {
  /** Default: the state as it is. */
  toSnapshot?(state: State): unknown;
  /** Default: what was kept. */
  fromSnapshot?(kept: unknown): State;
}

/**
 * Declares an aggregate as functions. Events that `decide` gives and `evolve` does not know do not compile.
 *
 * @example
 * const product = decider({
 *   name: 'product',
 *   initial: (): Shelf => ({ available: 0 }),
 *   evolve: (on) => [
 *     on(StockAdded, ({ available }, { quantity }) => ({ available: available + quantity })),
 *     on(StockHeld, ({ available }, { quantity }) => ({ available: available - quantity })),
 *   ],
 *   decide: ({ sku, quantity }: HoldStock, { available }) =>
 *     quantity > available ? refuse(new OutOfStock(sku)) : new StockHeld(sku, quantity),
 * });
 * @throws ConfigurationError for a name that cannot be part of a key, an event that stands there twice, what is no event, or no
 *   way to chain
 */
export function decider<State, Command, Evolves extends EvolvesOn<State>, Refused = never>({
  name,
  initial,
  evolve,
  decide,
  snapshot,
  chain,
}: DeciderOptions<State, Command, Evolves, Refused>): Decider<State, Command, EventOf<Evolves>, Refused> {
  return new Decider(name, initial, evolve(onEvent), decide, snapshot, chain);
}

/** An aggregate declared as functions: see {@link decider}. */
export class Decider<State, Command, Event extends object, Refused> implements AggregateModel<
  DeciderInstance<State, Command, Event, Refused>
> {
  readonly label: string;
  readonly remedy = 'does not evolve on it: add on';
  readonly evolutions: ReadonlyMap<string, Evolution<DeciderInstance<State, Command, Event, Refused>>>;
  readonly snapshots: Snapshotting<DeciderInstance<State, Command, Event, Refused>> | undefined;

  constructor(
    readonly name: string,
    readonly initial: () => State,
    evolves: readonly EvolvesOn<State>[],
    readonly decide: (command: Command, state: State) => Decided<Event, Refused>,
    snapshot?: DeciderSnapshotOptions<State>,
    readonly chain?: ChainMode,
  ) {
    checkContext(name, 'decider');
    this.label = `decider '${name}'`;
    checkMode(this.label, chain);
    this.evolutions = evolutionsOf(this.label, evolves);
    this.snapshots = snapshot && snapshotsOf(this.label, initial, snapshot);
  }

  create(): DeciderInstance<State, Command, Event, Refused> {
    return new DeciderInstance(this, this.initial(), this.decide);
  }
}

function evolutionsOf<State, Command, Event extends object, Refused>(
  label: string,
  evolves: readonly EvolvesOn<State>[],
): Decider<State, Command, Event, Refused>['evolutions'] {
  const evolutions = new Map<string, Evolution<DeciderInstance<State, Command, Event, Refused>>>();
  for (const [type, { contract, version, evolve }] of evolvesByType(label, evolves)) {
    evolutions.set(type, {
      contract,
      version,
      apply: (instance, event) => replaceState(instance, evolve(instance.state, event)),
    });
  }
  return evolutions;
}

function snapshotsOf<State, Command, Event extends object, Refused>(
  label: string,
  initial: () => State,
  options: DeciderSnapshotOptions<State>,
): Snapshotting<DeciderInstance<State, Command, Event, Refused>> {
  const { toSnapshot, fromSnapshot } = options;
  const { isDue, ...rule } = snapshotRule(label, options);
  const problem = toSnapshot && fromSnapshot ? undefined : notPlain(initial(), 'its state');
  if (problem !== undefined || !toSnapshot !== !fromSnapshot) {
    const lack = problem ?? 'it has one of toSnapshot and fromSnapshot';
    throw new ConfigurationError(`snapshots of ${label}: ${lack}; give them toSnapshot and fromSnapshot`);
  }
  return {
    ...rule,
    isDue: ({ state }, since) => isDue(state, since),
    save: ({ state }) => (toSnapshot ? toSnapshot(state) : state),
    // Without functions of its own, the state is JSON, and this is what JSON gave back.
    restore: (instance, kept) => replaceState(instance, fromSnapshot ? fromSnapshot(kept) : (kept as State)),
  };
}
