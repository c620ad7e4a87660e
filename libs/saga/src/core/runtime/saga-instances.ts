import { ConfigurationError, ConflictError, silent, UnitOfWork } from '@millrace/broker';
import type { Broker, Logger, Write } from '@millrace/broker';
import { decide, played } from '../code/decide.js';
import { codeObstacle } from '../code/code-obstacle.js';
import { stateName } from '../command-id.js';
import type { SagaInstance } from '../instance.js';
import { migrate } from '../migration.js';
import type { Move, Mover } from '../migration.js';
import { PastNeeded } from '../past.js';
import { SagaParked } from '../saga-events.js';
import type { SagaAction, SagaInput, Transition } from '../transition.js';
import { callsUnderWay } from './calls-under-way.js';
import { LocalCalls } from './local-calls.js';
import type { Handling } from './run-call.js';
import { hasCalls } from './saga-definitions.js';
import type { AnyDefinition, SagaDefinitions } from './saga-definitions.js';
import { currentSteps } from './current-steps.js';
import { RecentInstances } from './recent-instances.js';
import { isRemoved } from './removed.js';
import { listings } from './saga-index.js';
import type { Listing } from './saga-index.js';
import { resumption, writesOf } from './saga-writes.js';
import { fromStored, withoutPast, withPast } from './stored-instance.js';
import type { Beside } from './stored-instance.js';
import { UnknownSagaVersionError } from './unknown-version.js';

/** Times in a row that a decision is made again because somebody else was faster. */
const MAX_CONFLICTS = 20;

/** An instance as it was read. */
export interface Read extends Beside {
  readonly instance: SagaInstance | undefined;
  readonly revision: number;
  /** It has ended, and was removed since. */
  readonly removed?: true;
  /** As it was written here lately: others may have changed it since. */
  readonly recent?: boolean;
  /** Where lists have it, if that is known. */
  readonly listed?: readonly Listing[];
}

/** What a change is made of. */
interface Moving {
  readonly revision: number;
  /** Where lists had it. */
  readonly listed: readonly Listing[];
  readonly timerAt: number | undefined;
  /** By its timer. */
  readonly woken: boolean;
}

/** The stored instances of sagas, each a state on the partition of its id. */
export class SagaInstances {
  private readonly calls = new LocalCalls((saga, id, input) => this.act(saga, id, input));
  private readonly recent: RecentInstances;

  constructor(
    private readonly broker: Broker,
    readonly definitions: SagaDefinitions,
    private readonly logger: Logger = silent,
  ) {
    this.recent = new RecentInstances(broker);
  }

  /** The time, ms since 1970. */
  get now(): number {
    return this.broker.clock.now();
  }

  /** An instance as it is now; undefined when it has not been started. */
  async find<State = unknown>(saga: string, id: string): Promise<SagaInstance<State> | undefined> {
    return (await this.read(saga, id)).instance as SagaInstance<State> | undefined;
  }

  /**
   * Lets {@link decide} decide, inside a handler, and makes what it decided part of the handler's one commit. A concurrent
   * change of the instance refuses the commit; then the handler runs and decides again.
   *
   * Local functions that are begun by that run now, and how each one ends is a commit of its own.
   *
   * @param options.resume whether functions run that a process may have left, which died
   * @param options.handling whose signal functions get that run
   */
  move(saga: string, id: string, input: SagaInput, options: MoveOptions = {}): Promise<void> | void {
    const go = (read: Read) => this.moveFrom(read, saga, id, input, options);
    // Whoever starts a saga is nearly always the first one. The guard of the revision finds out.
    const known = options.again ? undefined : input.kind === 'start' ? NOT_YET : this.known(saga, id);
    return known ? go(known) : this.read(saga, id).then(go);
  }

  /** A promise only where something waits. */
  private moveFrom(read: Read, saga: string, id: string, input: SagaInput, options: MoveOptions): Promise<void> | void {
    const definition = this.definitionFor(saga, read.instance);
    const go = (transition: Transition<unknown>): Promise<void> | void => {
      if (transition.outcome === 'moved') return this.follow(definition, read, input, transition, options);
      // What others have made of it meanwhile may be moved.
      if (read.recent) return this.move(saga, id, input, { ...options, again: true });
      this.logger.debug(`saga ${saga} ${id} ignores a ${input.kind}: ${transition.reason}`);
      return this.stay(definition, read, input, transition, options);
    };
    const transition = decided(definition, read, input, this.now);
    return transition instanceof Promise ? transition.then(go) : go(transition);
  }

  private follow(
    definition: AnyDefinition,
    read: Read,
    input: SagaInput,
    { instance, actions }: Moved,
    options: MoveOptions,
  ): Promise<void> | void {
    const calls = options.resume ? hasCalls(definition) : actions.some(({ kind }) => kind === 'call');
    if (calls) return this.followWithCalls(definition, read, input, { instance, actions }, options);
    return this.stage(definition, moving(definition, read, input), instance, actions);
  }

  private async followWithCalls(
    definition: AnyDefinition,
    read: Read,
    input: SagaInput,
    { instance, actions }: Moved,
    options: MoveOptions,
  ): Promise<void> {
    const { saga, id } = instance;
    const change = moving(definition, read, input);
    const left = options.resume
      ? callsUnderWay(await played(definition, instance), instance)
      : actions.filter((action) => action.kind === 'call');
    if (left.length === 0) return this.stage(definition, change, instance, actions);
    // How a function ends is committed by itself, so that nothing is run again that has ended.
    if (await this.commit(definition, change, instance, actions)) {
      return this.calls.run(saga, id, left, options.handling);
    }
    if (read.recent) return this.move(saga, id, input, { ...options, again: true });
    throw conflict(saga, id);
  }

  private async stay(
    definition: AnyDefinition,
    read: Read,
    input: SagaInput,
    transition: Exclude<Transition<unknown>, { outcome: 'moved' }>,
    { handling }: MoveOptions,
  ): Promise<void> {
    const { instance } = read;
    if (transition.outcome === 'noted') {
      await this.stage(definition, moving(definition, read, input), transition.instance, []);
    }
    if (!instance || !hasCalls(definition)) return;
    const left = callsUnderWay(await played(definition, instance), instance);
    return this.calls.run(instance.saga, instance.id, left, handling);
  }

  /** Why an input would change nothing; undefined: it would change something. */
  async refusalOf(instance: SagaInstance, input: SagaInput): Promise<string | undefined> {
    const definition = this.definitionFor(instance.saga, instance);
    const transition = await decide(definition, instance, input, { now: this.broker.clock.now() });
    return transition.outcome === 'moved' ? undefined : transition.reason;
  }

  /**
   * Moves an instance outside of any handler, at once. What has to run in the service is left to the processes that consume.
   *
   * @returns what was decided; `ignored` with its reason
   * @throws ConflictError when the instance was changed again and again meanwhile
   */
  async act(saga: string, id: string, input: SagaInput): Promise<Transition<unknown>> {
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
      const read = this.known(saga, id) ?? (await this.read(saga, id));
      const definition = this.definitionFor(saga, read.instance);
      const transition = await decided(definition, read, input, this.now);
      if (transition.outcome !== 'moved') {
        if (read.recent) continue;
        return transition;
      }
      if (await this.commit(definition, moving(definition, read, input), transition.instance, transition.actions, true))
        return transition;
    }
    throw conflict(saga, id);
  }

  /**
   * Lets an instance go on with another version of its saga, in one commit.
   *
   * @param dryRun only decides
   * @returns why it stays in its version; undefined: it goes on with the other one
   * @throws ConflictError when the instance was changed again and again meanwhile
   */
  async migrate(
    from: AnyDefinition,
    to: AnyDefinition,
    id: string,
    move: Move,
    person: Omit<Mover, 'now'>,
    dryRun: boolean,
  ): Promise<string | undefined> {
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
      const read = await this.read(from.name, id);
      if (read.instance?.hash !== from.hash) return `it is not in version ${from.version} (${from.hash})`;
      const decided = migrate(from, to, read.instance, move, { ...person, now: this.broker.clock.now() });
      if (decided.outcome === 'refused') return decided.reason;
      const obstacle = await codeObstacle(to, decided.instance);
      if (obstacle !== undefined) return obstacle;
      const change = moving(from, read);
      if (dryRun || (await this.commit(to, change, decided.instance, decided.actions))) return undefined;
    }
    throw conflict(from.name, id);
  }

  private stage(
    definition: AnyDefinition,
    { revision, ...change }: Moving,
    instance: SagaInstance,
    actions: readonly SagaAction[],
  ): Promise<void> | void {
    this.alert(actions);
    const { saga, id } = instance;
    const state = stateName(saga, id);
    const unit = UnitOfWork.current()!;
    const put = (writes: readonly Write[]): void => {
      const guards = [{ kind: 'revision' as const, state, expected: revision }];
      unit.stage(this.broker.partitionFor(id), { guards, writes });
    };
    const writes = this.writes(definition, instance, actions, state, change);
    return writes instanceof Promise ? writes.then(put) : put(writes);
  }

  /** @returns whether it was committed; not: somebody else has changed the instance */
  private async commit(
    definition: AnyDefinition,
    { revision, ...change }: Moving,
    instance: SagaInstance,
    actions: readonly SagaAction[],
    handOver = false,
  ): Promise<boolean> {
    const { broker } = this;
    const { saga, id } = instance;
    const state = stateName(saga, id);
    const writes = await this.writes(definition, instance, actions, state, change);
    const mine = UnitOfWork.current(broker) !== undefined;
    const left = handOver && !mine && actions.some(({ kind }) => kind === 'call');
    const result = await broker.commit({
      partition: broker.partitionFor(id),
      guards: [{ kind: 'revision', state, expected: revision }],
      writes: left ? [...writes, await resumption(broker, instance)] : writes,
    });
    if (result.status === 'committed') this.alert(actions);
    return result.status === 'committed';
  }

  private writes(
    definition: AnyDefinition,
    instance: SagaInstance,
    actions: readonly SagaAction[],
    state: string,
    { listed, timerAt, woken }: Omit<Moving, 'revision'>,
  ): ReturnType<typeof writesOf> {
    const keys = definition.keys?.(instance.state);
    const after = listings(instance, currentSteps(definition, instance), keys, listed);
    return writesOf(this.broker, instance, actions, { state, listed, after, keys, timerAt, woken });
  }

  private definitionFor(saga: string, instance: SagaInstance | undefined): AnyDefinition {
    const definition = instance ? this.definitions.of(instance) : this.definitions.newest(saga);
    if (definition) return definition;
    if (instance) throw new UnknownSagaVersionError(instance);
    throw new ConfigurationError(
      `this service runs no saga '${saga}': it runs ${this.definitions.names.join(', ') || 'none'}`,
    );
  }

  /** An instance as this process has stored it lately, without its past. */
  private known(saga: string, id: string): Read | undefined {
    const found = this.recent.take(stateName(saga, id));
    if (!found) return undefined;
    const { instance, timerAt, keys } = withoutPast(found.value);
    const { revision, listed } = found;
    return { instance, timerAt, keys, revision, listed, recent: true };
  }

  /** An instance, with what guards a change of it. */
  async read(saga: string, id: string): Promise<Read> {
    const stored = await this.broker.store.readState(this.broker.partitionFor(id), stateName(saga, id));
    if (!stored) return { instance: undefined, revision: 0 };
    const { revision } = stored;
    const value = fromStored(stored.value);
    if (isRemoved(value)) return { instance: undefined, revision, removed: true };
    return { ...value, revision };
  }

  private alert(actions: readonly SagaAction[]): void {
    for (const action of actions) {
      if (action.kind !== 'record' || !(action.event instanceof SagaParked)) continue;
      const { saga, id, step, reason } = action.event;
      this.logger.error(`saga ${saga} ${id} is parked: '${step}' was given up (${reason}); a person has to finish it`);
    }
  }
}

export interface MoveOptions {
  readonly resume?: boolean;
  /** Somebody else was faster: look at what they have stored. */
  readonly again?: boolean;
  readonly handling?: Handling;
}

const NOT_YET: Read = { instance: undefined, revision: 0, recent: true };

type Moved = Pick<Extract<Transition<unknown>, { outcome: 'moved' }>, 'instance' | 'actions'>;

function moving(definition: AnyDefinition, read: Read, input?: SagaInput): Moving {
  const { instance, revision, timerAt, keys } = read;
  const listed = read.listed ?? (instance ? listings(instance, currentSteps(definition, instance), keys) : []);
  return { revision, listed, timerAt, woken: input?.kind === 'wake' };
}

function decided(
  definition: AnyDefinition,
  read: Read,
  input: SagaInput,
  now: number,
): Transition<unknown> | Promise<Transition<unknown>> {
  if (read.removed) return { outcome: 'ignored', reason: 'it has ended, and was removed after its time' };
  const { instance } = read;
  const whole = (error: unknown): Transition<unknown> | Promise<Transition<unknown>> => {
    if (!(error instanceof PastNeeded) || !instance) throw error;
    return decide(definition, withPast(instance), input, { now });
  };
  try {
    const decision = decide(definition, instance, input, { now });
    return decision instanceof Promise ? decision.catch(whole) : decision;
  } catch (error) {
    return whole(error);
  }
}

function conflict(saga: string, id: string): ConflictError {
  return new ConflictError(
    'revision',
    '',
    `saga ${saga} ${id} was changed by others ${MAX_CONFLICTS} times in a row: try again`,
  );
}
