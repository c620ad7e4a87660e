import { silent, UnitOfWork } from '@millrace/broker';
import type { Broker, Logger } from '@millrace/broker';
import { stateName } from './command-id.js';
import type { SagaDefinition } from './definition.js';
import type { SagaInstance } from './instance.js';
import { next } from './next.js';
import { SagaParked } from './saga-events.js';
import type { SagaInput } from './transition.js';
import { writesOf } from './transition-writes.js';

/** The stored instances of sagas, each a state on the partition of its id. */
export class SagaInstances {
  constructor(
    private readonly broker: Broker,
    private readonly logger: Logger = silent,
  ) {}

  /** An instance as it is now; undefined when it has not been started. */
  async find<State = unknown>(saga: string, id: string): Promise<SagaInstance<State> | undefined> {
    return (await this.read<State>(saga, id)).instance;
  }

  /**
   * Lets {@link next} decide, inside a handler, and makes what it decided part of the handler's one commit. A concurrent
   * change of the instance refuses the commit; then the handler runs and decides again.
   */
  async move<State>(definition: SagaDefinition<State>, id: string, input: SagaInput): Promise<void> {
    const { broker, logger } = this;
    const { instance, revision } = await this.read<State>(definition.name, id);
    const transition = next(definition, instance, input, { now: broker.clock.now() });
    if (transition.outcome === 'ignored') {
      return logger.debug(`saga ${definition.name} ${id} ignores a ${input.kind}: ${transition.reason}`);
    }
    for (const action of transition.actions) if (action.kind === 'record') this.alert(action.event);
    const partition = broker.partitionFor(id);
    UnitOfWork.current()!.stage(partition, {
      guards: [{ kind: 'revision', state: stateName(definition.name, id), expected: revision }],
      writes: await writesOf(broker, partition, transition.instance, transition.actions),
    });
  }

  private async read<State>(saga: string, id: string) {
    const stored = await this.broker.store.readState(this.broker.partitionFor(id), stateName(saga, id));
    const instance = stored && (JSON.parse(stored.value) as SagaInstance<State>);
    return { instance, revision: stored?.revision ?? 0 };
  }

  private alert(event: object): void {
    if (!(event instanceof SagaParked)) return;
    const { saga, id, step, reason } = event;
    this.logger.error(
      `saga ${saga} ${id} is parked: '${step}' cannot be undone (${reason}); a person has to finish it`,
    );
  }
}
