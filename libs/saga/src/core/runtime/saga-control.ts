import { ConfigurationError, UnitOfWork } from '@millrace/broker';
import type { Broker } from '@millrace/broker';
import { isSagaId } from '../command-id.js';
import { StartSaga } from '../internal-messages.js';
import { sagaName } from '../saga-class.js';
import type { SagaClass } from '../saga-class.js';
import type { SagaInput } from '../transition.js';
import { SagaError } from './saga-error.js';
import type { SagaInstances } from './saga-instances.js';

/** A saga: its class, or its name. */
export type SagaRef = SagaClass | string;

/** Who decides, and why: kept in the history of the saga. */
export interface Decision {
  readonly by: string;
  readonly reason: string;
}

export interface StepDecision extends Decision {
  /** Name or place of the step. Default: the only one that is parked. */
  readonly step?: string;
}

export interface Resolution<State = unknown> extends StepDecision {
  /** The state that the saga goes on with. Default: as it is. */
  readonly state?: State;
}

export interface StartOptions {
  /** Id of the instance. Default: what the saga's definition makes of the input. */
  readonly id?: string;
}

/** Starts sagas, and carries out what people decide about them. Every decision is one commit. */
export class SagaControl {
  constructor(
    private readonly broker: Broker,
    private readonly instances: SagaInstances,
  ) {}

  /**
   * Starts an instance. Inside a handler it is started with the handler's commit, unless there is one with this id by then.
   *
   * @returns its id
   * @throws SagaError `already-started`
   * @throws ConfigurationError for a saga that this service does not run, or an id that cannot be one
   */
  async start(saga: SagaRef, input: object, options: StartOptions = {}): Promise<string> {
    const name = nameOf(saga);
    const definition = this.instances.definitions.newest(name);
    if (!definition) throw new ConfigurationError(`this service runs no saga '${name}'`);
    const id = options.id ?? definition.start.id(input);
    if (!isSagaId(id)) throw new ConfigurationError(`saga '${name}' cannot have the id ${JSON.stringify(id)}`);
    const unit = UnitOfWork.current(this.broker);
    if (unit) {
      const partition = this.broker.partitionFor(id);
      const correlationid = unit.message?.correlationid ?? unit.message?.id ?? id;
      const attributes = { correlationid, partitionkey: correlationid };
      unit.emit(partition, (await this.broker.messages.encode(new StartSaga(name, id, input), attributes)).text);
      return id;
    }
    const { outcome } = await this.instances.act(name, id, { kind: 'start', id, input });
    if (outcome === 'moved') return id;
    throw new SagaError('already-started', name, id, `saga '${name}' ${id} has been started before: ids are used once`);
  }

  /**
   * Turns a running saga round: what it has done is undone. Whatever it waits for is waited for first.
   *
   * @throws SagaError `not-possible` when it has ended, is past its pivot, or is undoing already
   */
  async cancel(saga: SagaRef, id: string, decision: Decision): Promise<void> {
    return this.decide(saga, id, { kind: 'cancel', ...person('cancel', decision) });
  }

  /** Tries a step that is parked again, with all its attempts. @throws SagaError */
  async retry(saga: SagaRef, id: string, decision: StepDecision): Promise<void> {
    return this.decide(saga, id, { kind: 'retry', ...person('retry', decision), ...at(decision) });
  }

  /** Goes on without the step that is parked: its effect stays as it is. @throws SagaError */
  async skip(saga: SagaRef, id: string, decision: StepDecision): Promise<void> {
    return this.decide(saga, id, { kind: 'skip', ...person('skip', decision), ...at(decision) });
  }

  /** Somebody has done, or undone, by hand what the step that is parked could not. @throws SagaError */
  async resolve(saga: SagaRef, id: string, decision: Resolution): Promise<void> {
    const state = decision.state === undefined ? {} : { state: decision.state };
    return this.decide(saga, id, { kind: 'resolve', ...person('resolve', decision), ...at(decision), ...state });
  }

  /** Ends a saga as it is: nothing is done or undone any more. @throws SagaError */
  async abort(saga: SagaRef, id: string, decision: Decision): Promise<void> {
    return this.decide(saga, id, { kind: 'abort', ...person('abort', decision) });
  }

  /**
   * Gives a running saga another deadline, at which it turns round by itself; or none.
   *
   * @param to a moment to come; undefined: none
   * @throws SagaError `not-possible` when it does not turn round any more, or has no deadline to take away
   * @throws ConfigurationError for a moment that has passed
   */
  async moveDeadline(saga: SagaRef, id: string, to: Date | undefined, decision: Decision): Promise<void> {
    const at = to?.getTime();
    if (at !== undefined && !(at > this.broker.clock.now())) {
      throw new ConfigurationError(
        `deadline of saga '${nameOf(saga)}' ${id} is ${show(to!)}: it must be a moment to come`,
      );
    }
    return this.decide(saga, id, { kind: 'deadline', at, ...person('moving the deadline', decision) });
  }

  private async decide(saga: SagaRef, id: string, input: SagaInput): Promise<void> {
    const name = nameOf(saga);
    if (!this.instances.definitions.has(name)) throw new ConfigurationError(`this service runs no saga '${name}'`);
    if (!(await this.instances.find(name, id))) {
      throw new SagaError('unknown-saga', name, id, `there is no saga '${name}' ${id}`);
    }
    const transition = await this.instances.act(name, id, input);
    if (transition.outcome === 'moved') return;
    throw new SagaError(
      'not-possible',
      name,
      id,
      `saga '${name}' ${id}: cannot ${WORDS[input.kind] ?? input.kind}: ${transition.reason}`,
    );
  }
}

export function nameOf(saga: SagaRef): string {
  return typeof saga === 'string' ? saga : sagaName(saga);
}

const WORDS: Partial<Record<SagaInput['kind'], string>> = { deadline: 'move its deadline' };

function show(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'no date' : date.toISOString();
}

function at({ step }: StepDecision): { readonly path?: string } {
  return step === undefined ? {} : { path: step };
}

export function person(what: string, decision: Decision | undefined): { readonly by: string; readonly why: string } {
  const { by, reason: why } = decision ?? ({} as Partial<Decision>);
  for (const [name, value] of Object.entries({ by, reason: why })) {
    if (typeof value !== 'string' || value.trim() === '') {
      throw new ConfigurationError(`${what} of a saga needs '${name}': it is kept in the history`);
    }
  }
  return { by: by!, why: why! };
}
