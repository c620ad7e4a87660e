import type { Broker } from '@millrace/broker';
import { SagaInstances, SagaLocks } from '@millrace/saga';
import type { LockRequest, MoveOptions, SagaDefinitions, SagaInput, SagaInstance } from '@millrace/saga';

/** Where answers go. */
interface Address {
  readonly replyto?: string | undefined;
  readonly correlationid?: string | undefined;
}

/** What the saga has asked other sagas and the locks for, by the ids of its commands. */
export class Asked {
  private readonly known = new Map<string, Address>();

  note(commandId: string, address: Address): void {
    this.known.set(commandId, address);
  }

  has(commandId: string): boolean {
    return this.known.has(commandId);
  }

  of(commandId: string): Address {
    return this.known.get(commandId)!;
  }
}

/** Locks that the script grants and refuses. */
export class ScriptedLocks extends SagaLocks {
  constructor(
    broker: Broker,
    private readonly asked: Asked,
  ) {
    super(broker);
  }

  override async lock({ commandId, ...address }: LockRequest): Promise<void> {
    this.asked.note(commandId, address);
  }

  override async unlock({ commandId, ...address }: LockRequest): Promise<void> {
    this.asked.note(commandId, address);
  }
}

/** The instances of one saga, whose children do as the script says. */
export class ScriptedInstances extends SagaInstances {
  constructor(
    broker: Broker,
    definitions: SagaDefinitions,
    private readonly asked: Asked,
  ) {
    super(broker, definitions);
  }

  override async move(saga: string, id: string, input: SagaInput, options?: MoveOptions): Promise<void> {
    const { asker } = input as { readonly asker?: SagaInstance['asker'] };
    if (!asker?.parent) return super.move(saga, id, input, options);
    this.asked.note(asker.commandId, asker);
  }

  override async find<State = unknown>(saga: string, id: string): Promise<SagaInstance<State> | undefined> {
    if (this.definitions.has(saga)) return super.find(saga, id);
    // A child: whether it can be undone says the script.
    return { saga, id } as SagaInstance<State>;
  }

  override refusalOf(instance: SagaInstance, input: SagaInput): Promise<string | undefined> {
    return this.definitions.has(instance.saga) ? super.refusalOf(instance, input) : Promise.resolve(undefined);
  }
}
