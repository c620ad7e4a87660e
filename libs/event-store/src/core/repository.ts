import { setTimeout as wait } from 'node:timers/promises';
import { ConflictError, UnitOfWork } from '@millrace/broker';
import type { Broker } from '@millrace/broker';
import { takeRecorded } from './aggregate-model.js';
import { AggregateStream } from './aggregate-stream.js';
import type { StreamTools } from './aggregate-stream.js';
import { modelOf } from './aggregate-type.js';
import type { AggregateType } from './aggregate-type.js';
import { ChainStage } from './chain/chain-stage.js';
import type { DeciderInstance, Decision } from './decider-instance.js';
import { EventCache } from './event-cache.js';
import { versionOf } from './journal.js';
import { SnapshotKeeper } from './snapshot-keeper.js';
import { TrackedAggregate } from './tracked-aggregate.js';

/** How often `change` decides anew, outside of a handler, when others change the same aggregate. */
export const MAX_DECISIONS = 11;

/** The repository of a class or a decider: `RepositoryOf<typeof product>`. */
export type RepositoryOf<T extends AggregateType> = T extends AggregateType<infer A> ? Repository<A> : never;

/**
 * Aggregates of one class or decider, kept as their events.
 *
 * @example
 * await products.change('book-1', (product) => product.reserve(orderId, 2));
 */
export class Repository<A extends object> {
  private readonly tools: StreamTools<A>;

  /** @throws ConfigurationError when a class has no `@Aggregate` */
  constructor(
    private readonly broker: Broker,
    type: AggregateType<A>,
  ) {
    const model = modelOf(type);
    if (model.chain !== undefined) ChainStage.of(broker).rules.add({ [model.name]: model.chain });
    this.tools = { broker, model, cache: new EventCache(), snapshots: new SnapshotKeeper(broker, model) };
  }

  /**
   * The aggregate as it is now, with what the running handler has decided; of version 0 when it has no events.
   *
   * @throws UnreadableEventError for a stored event that it does not know
   */
  load(id: string): Promise<A> {
    const unit = UnitOfWork.current(this.broker);
    return unit ? this.tracked(unit, id).get() : this.stream(id).load();
  }

  /** As `load`, but undefined when it has no events. */
  async find(id: string): Promise<A | undefined> {
    const aggregate = await this.load(id);
    return versionOf(aggregate) === 0 ? undefined : aggregate;
  }

  /**
   * Loads the aggregate, lets `decide` record events, and stores them if nobody has changed it meanwhile.
   *
   * Inside a handler they become part of the handler's commit. Elsewhere they are committed at once; when somebody was
   * faster, `decide` runs again on the fresh aggregate, so it must not have effects of its own.
   *
   * @returns what `decide` returns
   * @throws ConflictError when somebody was faster 11 times in a row
   * @throws MessageError when a recorded event breaks its contract; nothing is stored then
   */
  change<R>(id: string, decide: (aggregate: A) => R | Promise<R>): Promise<R> {
    const unit = UnitOfWork.current(this.broker);
    return unit ? this.tracked(unit, id).change(decide) : this.changeNow(this.stream(id), decide);
  }

  /**
   * Lets a decider decide on a command: {@link change} in one word.
   *
   * @example
   * const { refusal } = await products.decide(command.sku, command);
   * return refusal ?? new StockReserved(command.orderId);
   */
  decide<State, Command, Event extends object, Refused>(
    this: Repository<DeciderInstance<State, Command, Event, Refused>>,
    id: string,
    command: Command,
  ): Promise<Decision<State, Event, Refused>> {
    return this.change(id, (instance) => instance.decide(command));
  }

  private async changeNow<R>(stream: AggregateStream<A>, decide: (aggregate: A) => R | Promise<R>): Promise<R> {
    for (let decisions = 1; ; decisions++) {
      const aggregate = await stream.load();
      const expected = versionOf(aggregate);
      const decision = await decide(aggregate);
      const encoded = await stream.encode(takeRecorded(aggregate));
      if (encoded.length === 0) return decision;
      const result = await this.broker.commit({
        partition: stream.partition,
        guards: [stream.guard(expected)],
        writes: [stream.append(encoded.map(({ text }) => text)), ...(await stream.snapshot(aggregate, encoded))],
      });
      if (result.status === 'committed') return decision;
      if (decisions === MAX_DECISIONS) throw conflict(stream.name, expected, result.found);
      await wait(Math.random() * Math.min(100, 2 ** decisions));
    }
  }

  private tracked(unit: UnitOfWork, id: string): TrackedAggregate<A> {
    const stream = this.stream(id);
    const key = `aggregate:${stream.name}`;
    let tracked = unit.identities.get(key) as TrackedAggregate<A> | undefined;
    if (!tracked) unit.identities.set(key, (tracked = new TrackedAggregate(unit, stream)));
    return tracked;
  }

  private stream(id: string): AggregateStream<A> {
    return new AggregateStream(this.tools, id);
  }
}

function conflict(stream: string, expected: number, found: string): ConflictError {
  const message = `${stream} was changed by somebody else ${MAX_DECISIONS} times in a row, last from ${expected} to ${found}`;
  return new ConflictError('version', found, `${message}: try again, or spread the load over more aggregates`);
}
