import { Declarations } from '@millrace/broker';
import type { Broker, Subscriptions } from '@millrace/broker';
import { Logger } from '@nestjs/common';
import type { HistoryEntry, SagaInstance, SagaStatus } from '../core/instance.js';
import type { OnModuleInit } from '@nestjs/common';
import { Orchestrator } from '../core/orchestrator.js';
import { nameOf, SagaControl } from '../core/runtime/saga-control.js';
import type { Decision, Resolution, SagaRef, StartOptions, StepDecision } from '../core/runtime/saga-control.js';
import { SagaDefinitions } from '../core/runtime/saga-definitions.js';
import { momentOf } from '../core/runtime/saga-filter.js';
import type { Moment, SagaFilter } from '../core/runtime/saga-filter.js';
import { SagaInstances } from '../core/runtime/saga-instances.js';
import { SagaLocks } from '../core/runtime/saga-locks.js';
import type { SagaLock } from '../core/runtime/saga-locks.js';
import { historyOf, stateAt } from '../core/runtime/saga-past.js';
import { sagaChart } from '../core/pictures/saga-chart.js';
import { SagaQueries } from '../core/runtime/saga-queries.js';
import type { DueOptions, DuePage, SagaPage } from '../core/runtime/saga-queries.js';
import { SagaRetention } from '../core/runtime/saga-retention.js';
import type { SagaRetentionOptions } from '../core/runtime/saga-retention.js';
import { SagaMigrations } from '../core/runtime/saga-migrations.js';
import type { MigrationOptions, MigrationPlan, MigrationReport } from '../core/runtime/saga-migrations.js';
import { checkMessages } from '../core/check-messages.js';
import { definitionOf } from '../core/saga-class.js';
import type { InputOf, SagaClass, SagaHolder, StateOf } from '../core/saga-class.js';
import { SagaEnded, SagaParked, SagaStarted, SagaTurned } from '../core/saga-events.js';
import { commandClassesOf } from '../core/sent-commands.js';

/** The sagas of a connection of this service. */
export class Sagas implements OnModuleInit {
  private readonly instances: SagaInstances;
  private readonly control: SagaControl;
  private readonly locks: SagaLocks;
  private readonly migrations: SagaMigrations;
  private readonly orchestrator: Orchestrator;
  private readonly queries: SagaQueries;
  private readonly retention: SagaRetention;

  constructor(
    private readonly broker: Broker,
    subscriptions: Subscriptions,
    private readonly declarations = new Declarations(),
  ) {
    const logger = new Logger('Millrace');
    this.instances = new SagaInstances(broker, new SagaDefinitions(), logger);
    this.control = new SagaControl(broker, this.instances);
    this.locks = new SagaLocks(broker);
    this.queries = new SagaQueries(broker, this.instances);
    this.retention = new SagaRetention(broker, this.instances, logger);
    this.migrations = new SagaMigrations(broker, this.instances);
    this.orchestrator = new Orchestrator(broker.context, subscriptions, this.instances, this.locks, logger);
  }

  /**
   * @param retention how long its instances are kept after their end. Default: for ever.
   * @throws ConfigurationError when one of this name and version is here already
   */
  add(saga: SagaHolder, retention: SagaRetentionOptions = {}): void {
    const definition = definitionOf(saga);
    this.orchestrator.add(definition);
    this.retention.keep(definition.name, retention);
    const { name, version } = definition;
    this.declarations.draws(`saga ${name}${version === 1 ? '' : ` v${version}`}`, () => sagaChart(definition));
    this.declarations.sends(`saga ${definition.name}`, [
      ...commandClassesOf(definition),
      SagaStarted,
      SagaTurned,
      SagaEnded,
      SagaParked,
    ]);
  }

  /**
   * @throws ConfigurationError for a step that is a saga which this service does not run, and for what a saga says that this service
   *   cannot say
   */
  onModuleInit(): void {
    const { definitions } = this.instances;
    definitions.check();
    for (const definition of definitions.all) checkMessages(definition, this.broker);
  }

  /**
   * An instance as it is now, with its state and its history; undefined when it has not been started.
   *
   * @param saga its class, or its name
   */
  find<S extends SagaClass>(saga: S, id: string): Promise<SagaInstance<StateOf<S>> | undefined>;
  find<State = unknown>(saga: string, id: string): Promise<SagaInstance<State> | undefined>;
  find(saga: SagaRef, id: string): Promise<SagaInstance | undefined> {
    return this.instances.find(nameOf(saga), id);
  }

  /**
   * Starts an instance. Inside a handler it is started with the handler's commit, unless there is one with this id by then.
   *
   * @param input plain data, or the message that starts it
   * @returns its id
   * @throws SagaError `already-started`
   */
  start<S extends SagaClass>(saga: S, input: InputOf<S>, options?: StartOptions): Promise<string> {
    return this.control.start(saga, input, options);
  }

  /**
   * Turns a running saga round: what it has done is undone, once what it waits for is known.
   *
   * @throws SagaError `not-possible` when it has ended, is past its pivot, or is undoing already; `unknown-saga`
   */
  cancel(saga: SagaRef, id: string, decision: Decision): Promise<void> {
    return this.control.cancel(saga, id, decision);
  }

  /** Tries a step that is parked once more. @throws SagaError */
  retry(saga: SagaRef, id: string, decision: StepDecision): Promise<void> {
    return this.control.retry(saga, id, decision);
  }

  /** Goes on without the step that is parked: its effect stays as it is. @throws SagaError */
  skip(saga: SagaRef, id: string, decision: StepDecision): Promise<void> {
    return this.control.skip(saga, id, decision);
  }

  /** Somebody has done, or undone, by hand what the step that is parked could not. @throws SagaError */
  resolve<S extends SagaClass>(saga: S, id: string, decision: Resolution<StateOf<S>>): Promise<void>;
  resolve(saga: string, id: string, decision: Resolution): Promise<void>;
  resolve(saga: SagaRef, id: string, decision: Resolution): Promise<void> {
    return this.control.resolve(saga, id, decision);
  }

  /** Ends a saga as it is: nothing is done or undone any more. @throws SagaError */
  abort(saga: SagaRef, id: string, decision: Decision): Promise<void> {
    return this.control.abort(saga, id, decision);
  }

  /**
   * Lets the instances that are under way in one version go on with another one, each in a commit of its own. One that has
   * begun something which does not stand at the same place in the other version stays where it is, and is reported.
   *
   * @param options.dryRun only says what would happen
   * @throws ConfigurationError when this service does not run both versions, or nobody says who and why
   */
  migrate<S extends SagaClass, Old = StateOf<S>>(
    saga: S,
    plan: MigrationPlan<Old, StateOf<S>>,
    options?: MigrationOptions,
  ): Promise<MigrationReport> {
    return this.migrations.migrate(saga, plan as MigrationPlan, options);
  }

  /** Which saga, `<saga>/<id>`, has locked a key, and which wait for it; undefined: none. */
  lockOf(key: string): Promise<SagaLock | undefined> {
    return this.locks.find(key);
  }

  /**
   * A page of the sagas of one class, or of all, as they are now: `list({ saga: PlaceOrder, status: 'parked' })`. As costly as
   * the page is long.
   *
   * @throws ConfigurationError for a filter that no index answers; InvalidCursorError for a cursor of another list
   */
  list<S extends SagaClass>(filter: SagaFilter & { readonly saga: S }): Promise<SagaPage<StateOf<S>>>;
  list<State = unknown>(filter?: SagaFilter & { readonly saga?: string | undefined }): Promise<SagaPage<State>>;
  list({ saga, ...filter }: SagaFilter & { readonly saga?: SagaRef | undefined } = {}): Promise<SagaPage> {
    return this.queries.list(saga === undefined ? undefined : nameOf(saga), filter);
  }

  /** How many there are of each status, of one saga or of all. As cheap for many as for few. */
  count(saga?: SagaRef): Promise<Readonly<Record<SagaStatus, number>>> {
    return this.queries.count(saga === undefined ? undefined : nameOf(saga));
  }

  /** All that has happened in a saga, the oldest first; undefined when there is no such saga. */
  history(saga: SagaRef, id: string): Promise<readonly HistoryEntry[] | undefined> {
    return historyOf(this.broker, this.instances, nameOf(saga), id);
  }

  /** The state that a saga had at a moment; undefined before its start, and when there is no such saga. */
  stateAt<S extends SagaClass>(saga: S, id: string, moment: Moment): Promise<StateOf<S> | undefined>;
  stateAt<State = unknown>(saga: string, id: string, moment: Moment): Promise<State | undefined>;
  async stateAt(saga: SagaRef, id: string, moment: Moment): Promise<unknown> {
    const ms = momentOf('moment', moment)!;
    return stateAt((await this.history(saga, id)) ?? [], ms);
  }

  /**
   * A page of what is due before a moment if nothing happens before, the soonest first: steps, sleeps, waits, retries, deadlines. A
   * saga that has got on lately may stand on an earlier page than the time at which it is due.
   *
   * @throws ConfigurationError for a limit or a moment that is none; InvalidCursorError for a cursor of another list
   */
  due({ saga, ...options }: Omit<DueOptions, 'saga'> & { readonly saga?: SagaRef }): Promise<DuePage> {
    return this.queries.due({ ...options, ...(saga === undefined ? {} : { saga: nameOf(saga) }) });
  }

  /**
   * Gives a running saga another deadline, at which it turns round by itself; undefined: none.
   *
   * @throws SagaError `unknown-saga`; `not-possible` when it does not turn round any more
   * @throws ConfigurationError for a moment that has passed
   */
  moveDeadline(saga: SagaRef, id: string, to: Date | undefined, decision: Decision): Promise<void> {
    return this.control.moveDeadline(saga, id, to, decision);
  }

  /** Removes the ended sagas that are past their retention now, which also happens by itself once a minute. Answers how many. */
  removeEnded(): Promise<number> {
    return this.retention.sweep();
  }

  onApplicationBootstrap(): void {
    this.retention.start();
  }

  beforeApplicationShutdown(): void {
    this.retention.stop();
  }
}
