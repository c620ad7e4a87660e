import { ConfigurationError, ConflictError, silent, UnitOfWork } from '@millrace/broker';
import type { Broker, Logger } from '@millrace/broker';
import { decide, played } from '../code/decide.js';
import { stateName } from '../command-id.js';
import type { SagaInstance } from '../instance.js';
import { migrate } from '../migration.js';
import type { Move, Mover } from '../migration.js';
import { SagaParked } from '../saga-events.js';
import type { CallAction, SagaAction, SagaInput, Transition } from '../transition.js';
import { callsUnderWay } from './calls-under-way.js';
import { runCall } from './run-call.js';
import { hasCalls } from './saga-definitions.js';
import type { AnyDefinition, SagaDefinitions } from './saga-definitions.js';
import { isRemoved } from './removed.js';
import type { Removed } from './removed.js';
import { resumption, writesOf } from './saga-writes.js';
import type { Stored } from './timer-moves.js';
import { UnknownSagaVersionError } from './unknown-version.js';

/** Times in a row that a decision is made again because somebody else was faster. */
const MAX_CONFLICTS = 20;

/** An instance as it was read. */
export interface Read {
  readonly instance: SagaInstance | undefined;
  readonly revision: number;
  /** It has ended, and was removed since. */
  readonly removed?: true;
  /** When its timer is set for. */
  readonly timerAt?: number | undefined;
}

/** What a change is made of. */
interface Moving {
  readonly revision: number;
  readonly before: SagaInstance | undefined;
  readonly timerAt: number | undefined;
  /** By its timer. */
  readonly woken: boolean;
}

/** The stored instances of sagas, each a state on the partition of its id. */
export class SagaInstances {
  /** Local functions that run in this process, by the ids of their calls. */
  private readonly running = new Map<string, Promise<unknown>>();

  constructor(
    private readonly broker: Broker,
    readonly definitions: SagaDefinitions,
    private readonly logger: Logger = silent,
  ) {}

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
   * @param resume whether functions run that a process may have left, which died
   */
  async move(saga: string, id: string, input: SagaInput, { resume = false, signal }: MoveOptions = {}): Promise<void> {
    const { broker, logger } = this;
    const read = await this.read(saga, id);
    const definition = this.definitionFor(saga, read.instance);
    const transition = await decided(definition, read, input, broker.clock.now());
    if (transition.outcome !== 'moved') {
      logger.debug(`saga ${saga} ${id} ignores a ${input.kind}: ${transition.reason}`);
      if (transition.outcome === 'noted') await this.stage(definition, moving(read, input), transition.instance, []);
      const left =
        read.instance && hasCalls(definition)
          ? callsUnderWay(await played(definition, read.instance), read.instance)
          : [];
      return this.runAll(definition, saga, id, left, signal);
    }
    const { instance, actions } = transition;
    const calls = actions.filter((action) => action.kind === 'call');
    const left = resume && hasCalls(definition) ? callsUnderWay(await played(definition, instance), instance) : calls;
    if (left.length === 0) return this.stage(definition, moving(read, input), instance, actions);
    // How a function ends is committed by itself, so that nothing is run again that has ended.
    const first = await this.commit(definition, moving(read, input), instance, actions);
    if (!first) throw conflict(saga, id);
    return this.runAll(definition, saga, id, left, signal);
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
      const read = await this.read(saga, id);
      const definition = this.definitionFor(saga, read.instance);
      const transition = await decided(definition, read, input, this.broker.clock.now());
      if (transition.outcome !== 'moved') return transition;
      if (await this.commit(definition, moving(read, input), transition.instance, transition.actions, true))
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
      // Where it stands in lists is told anew: its steps are those of another definition.
      const moving = { revision: read.revision, before: undefined, timerAt: read.timerAt, woken: false };
      if (dryRun || (await this.commit(to, moving, decided.instance, decided.actions))) return undefined;
    }
    throw conflict(from.name, id);
  }

  /** Runs functions, and those that follow from how they end. */
  private async runAll(
    definition: AnyDefinition,
    saga: string,
    id: string,
    calls: readonly CallAction[],
    signal?: AbortSignal,
  ): Promise<void> {
    const mine = calls.filter((call) => !this.running.has(call.id));
    await Promise.all(mine.map((call) => this.run(definition, saga, id, call, signal)));
  }

  private async run(
    definition: AnyDefinition,
    saga: string,
    id: string,
    call: CallAction,
    signal?: AbortSignal,
  ): Promise<void> {
    const work = runCall(call, signal);
    this.running.set(call.id, work);
    try {
      const result = await work;
      // What a process that stops has cut off runs again where the message is handled again.
      if (signal?.aborted && result.status === 'failed') throw signal.reason;
      const input = { kind: 'called', callId: call.id, result } as const;
      const transition = await this.act(saga, id, input);
      if (transition.outcome !== 'moved') return;
      const following = transition.actions.filter((action) => action.kind === 'call');
      await this.runAll(definition, saga, id, following, signal);
    } finally {
      this.running.delete(call.id);
    }
  }

  private async stage(
    definition: AnyDefinition,
    { revision, ...change }: Moving,
    instance: SagaInstance,
    actions: readonly SagaAction[],
  ): Promise<void> {
    this.alert(actions);
    const { saga, id } = instance;
    UnitOfWork.current()!.stage(this.broker.partitionFor(id), {
      guards: [{ kind: 'revision', state: stateName(saga, id), expected: revision }],
      writes: await writesOf(this.broker, definition, instance, actions, change),
    });
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
    const writes = await writesOf(broker, definition, instance, actions, change);
    const mine = UnitOfWork.current(broker) !== undefined;
    const left = handOver && !mine && actions.some(({ kind }) => kind === 'call');
    const result = await broker.commit({
      partition: broker.partitionFor(id),
      guards: [{ kind: 'revision', state: stateName(saga, id), expected: revision }],
      writes: left ? [...writes, await resumption(broker, instance)] : writes,
    });
    if (result.status === 'committed') this.alert(actions);
    return result.status === 'committed';
  }

  private definitionFor(saga: string, instance: SagaInstance | undefined): AnyDefinition {
    const definition = instance ? this.definitions.of(instance) : this.definitions.newest(saga);
    if (definition) return definition;
    if (instance) throw new UnknownSagaVersionError(instance);
    throw new ConfigurationError(
      `this service runs no saga '${saga}': it runs ${this.definitions.names.join(', ') || 'none'}`,
    );
  }

  /** An instance, with what guards a change of it. */
  async read(saga: string, id: string): Promise<Read> {
    const stored = await this.broker.store.readState(this.broker.partitionFor(id), stateName(saga, id));
    if (!stored) return { instance: undefined, revision: 0 };
    const value = JSON.parse(stored.value) as Stored<unknown> | Removed;
    if (isRemoved(value)) return { instance: undefined, revision: stored.revision, removed: true };
    const { timerAt, ...instance } = value;
    return { instance, revision: stored.revision, timerAt };
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
  readonly signal?: AbortSignal;
}

function moving({ instance: before, revision, timerAt }: Read, input: SagaInput): Moving {
  return { revision, before, timerAt, woken: input.kind === 'wake' };
}

function decided(
  definition: AnyDefinition,
  read: Read,
  input: SagaInput,
  now: number,
): Transition<unknown> | Promise<Transition<unknown>> {
  if (read.removed) return { outcome: 'ignored', reason: 'it has ended, and was removed after its time' };
  return decide(definition, read.instance, input, { now });
}

function conflict(saga: string, id: string): ConflictError {
  return new ConflictError(
    'revision',
    '',
    `saga ${saga} ${id} was changed by others ${MAX_CONFLICTS} times in a row: try again`,
  );
}
