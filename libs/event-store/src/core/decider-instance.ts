import { recordWith } from './aggregate-model.js';
import type { Evolving } from './aggregate-model.js';
import { idOf, versionOf } from './journal.js';

/** A command is not followed, for a reason that the caller gets. Nothing has happened. */
export class Refusal<Reason> {
  // Private, so that an event with a reason is no refusal to the compiler.
  readonly #reason: Reason;

  constructor(reason: Reason) {
    this.#reason = reason;
  }

  get reason(): Reason {
    return this.#reason;
  }
}

/** What `decide` gives for a command that cannot be followed. */
export function refuse<Reason>(reason: Reason): Refusal<Reason> {
  return new Refusal(reason);
}

/** What `decide` may give. */
export type Decided<Event, Refused> = Event | readonly Event[] | Refusal<Refused>;

/** What became of a command. */
export interface Decision<State, Event, Refused> {
  readonly events: readonly Event[];
  /** Why it was not followed; undefined: it was. */
  readonly refusal: Refused | undefined;
  /** Behind the events. */
  readonly state: State;
  readonly version: number;
}

let replaceState: <State, Command, Event extends object, Refused>(
  instance: DeciderInstance<State, Command, Event, Refused>,
  state: State,
) => void;

/** One aggregate of a decider, as a repository hands it out. */
export class DeciderInstance<State, Command, Event extends object, Refused = never> {
  readonly #model: Evolving<DeciderInstance<State, Command, Event, Refused>>;
  readonly #decide: (command: Command, state: State) => Decided<Event, Refused>;
  #state: State;

  constructor(
    model: Evolving<DeciderInstance<State, Command, Event, Refused>>,
    initial: State,
    decide: (command: Command, state: State) => Decided<Event, Refused>,
  ) {
    this.#model = model;
    this.#state = initial;
    this.#decide = decide;
  }

  get id(): string {
    return idOf(this);
  }

  /** The number of its events, those just decided included; 0: it does not exist yet. */
  get version(): number {
    return versionOf(this);
  }

  get state(): State {
    return this.#state;
  }

  /** Decides on a command, and records what happens. */
  decide(command: Command): Decision<State, Event, Refused> {
    const decided = this.#decide(command, this.#state);
    if (decided instanceof Refusal) return this.decision([], decided.reason);
    const events = Array.isArray(decided) ? (decided as readonly Event[]) : [decided as Event];
    for (const event of events) recordWith(this.#model, this, event);
    return this.decision(events, undefined);
  }

  private decision(events: readonly Event[], refusal: Refused | undefined): Decision<State, Event, Refused> {
    return { events, refusal, state: this.#state, version: this.version };
  }

  static {
    replaceState = (instance, state) => {
      instance.#state = state;
    };
  }
}

export { replaceState };
