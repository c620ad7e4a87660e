import type { Envelope } from '@millrace/messages';
import { Ambient } from './ambient.js';
import type { Commit, Guard, Write } from './commit.js';
import { ConfigurationError } from './errors.js';
import type { HandlerDeclaration, MessageContext } from './handler.js';
import { addressOf } from './partition.js';
import type { Partition } from './partition.js';

/** What one participant adds to a unit's commit. */
export interface Staged {
  readonly partition: Partition;
  readonly guards?: readonly Guard[] | undefined;
  readonly writes?: readonly Write[] | undefined;
}

/** What is only known when the handler has finished, or soon after. */
type Later = Staged | undefined | Promise<Staged | undefined>;

/**
 * Everything a handler decides, gathered while it runs, to become one commit (Unit of Work, Fowler). Ambient: inside a
 * handler `UnitOfWork.current()` finds it, so repositories and publishers need not be handed one.
 */
export class UnitOfWork {
  private static readonly ambient = new Ambient<UnitOfWork>();

  /**
   * The unit of the handler that is running, if one is. What a handler left running after its end has none.
   *
   * @param broker who wants to take part: the unit of another broker's handler is none of its, since a commit holds what one
   *   store keeps
   */
  static current(broker?: object): UnitOfWork | undefined {
    const unit = UnitOfWork.ambient.current;
    if (!unit || (unit.ended && !unit.abandoned)) return undefined;
    return broker && unit.broker && unit.broker !== broker ? undefined : unit;
  }

  /** What participants have loaded in this unit, by their own keys (Identity Map, Fowler). */
  get identities(): Map<string, unknown> {
    return (this.known ??= new Map<string, unknown>());
  }

  // Made when first needed: most units of a busy subscription only acknowledge.
  private known: Map<string, unknown> | undefined;
  private staged: Staged[] | undefined;
  private emits: Write[] | undefined;
  private guards: Guard[] | undefined;
  private later: (() => Later)[] | undefined;
  private ended = false;
  private abandoned: Error | undefined;

  /**
   * @param message what is being handled; new messages name it as their cause
   * @param broker whose commit it becomes
   * @param origin the partition that the message comes from
   */
  constructor(
    readonly message?: Envelope,
    private readonly broker?: object,
    readonly origin?: Partition,
  ) {}

  /** Runs a function with this unit as the current one. */
  run<T>(work: () => T): T {
    return UnitOfWork.ambient.run(this, work);
  }

  /** As `run` of a handler's method, without a closure. */
  call(handler: HandlerDeclaration, data: object, context: MessageContext): ReturnType<HandlerDeclaration['handle']> {
    return UnitOfWork.ambient.run(this, callHandler, handler, data, context);
  }

  /** Whether nothing has been added to it. */
  get isEmpty(): boolean {
    return !(this.staged ?? this.emits ?? this.guards ?? this.later);
  }

  /**
   * Adds guards and writes on a partition to the commit.
   *
   * @throws ConfigurationError when the unit already writes to another partition: a commit holds one; and when the unit
   * has ended, since nobody would commit it
   */
  stage(partition: Partition, part: { readonly guards?: readonly Guard[]; readonly writes?: readonly Write[] }): void {
    this.checkOpen();
    const home = this.partition;
    if (home && (home.context !== partition.context || home.index !== partition.index)) {
      throw new ConfigurationError(
        `one handler changes partitions ${addressOf(home)} and ${addressOf(partition)}, but a commit holds one partition: ` +
          `give both the same key, send a command for the second change, or declare the context with partitions: 1`,
      );
    }
    (this.staged ??= []).push({ partition, guards: part.guards, writes: part.writes });
  }

  /** Adds what can only be known when the handler has finished; undefined adds nothing. */
  stageLater(produce: () => Later): void {
    (this.later ??= []).push(produce);
  }

  /** Delivers an encoded message to an inbox with the commit, whatever its partition. */
  emit(to: Partition, message: string): void {
    this.checkOpen();
    (this.emits ??= []).push({ kind: 'emit', to, message });
  }

  /** Adds writes that are not bound to a partition: messages to others. */
  add(writes: readonly Extract<Write, { kind: 'emit' | 'reply' }>[]): void {
    this.checkOpen();
    (this.emits ??= []).push(...writes);
  }

  /** Adds guards and writes that say themselves which partition they are about. In a Cluster it must be that of the unit. */
  addElsewhere({
    guards = [],
    writes = [],
  }: {
    readonly guards?: readonly Guard[];
    readonly writes?: readonly Write[];
  }): void {
    this.checkOpen();
    (this.emits ??= []).push(...writes);
    if (guards.length > 0) (this.guards ??= []).push(...guards);
  }

  /** The partition that this unit writes to, once something has been staged. */
  get partition(): Partition | undefined {
    return this.staged?.[0]?.partition;
  }

  /**
   * The whole unit as one commit. A promise only when something that was staged for later waits.
   *
   * @param fallback the partition when the unit itself writes to none
   */
  toCommit(
    fallback: Partition,
    guards: readonly Guard[] = [],
    writes: readonly Write[] = [],
  ): Commit | Promise<Commit> {
    if (this.abandoned) throw this.abandoned;
    const waiting = this.later && this.produced(this.later.splice(0));
    if (waiting) return waiting.then(() => this.toCommit(fallback, guards, writes));
    this.end();
    if (!this.staged && !this.emits && !this.guards) return { partition: fallback, guards, writes };
    return {
      partition: this.partition ?? fallback,
      guards: joined(this.staged, 'guards', this.guards, guards),
      writes: joined(this.staged, 'writes', this.emits, writes),
    };
  }

  /** Adds what was staged for later. A promise when one of it waits; those behind it are staged for later again. */
  private produced(later: readonly (() => Later)[]): Promise<void> | undefined {
    for (const [at, produce] of later.entries()) {
      const part = produce();
      if (part instanceof Promise) {
        this.later = later.slice(at + 1);
        return part.then((staged) => {
          if (staged) this.stage(staged.partition, staged);
        });
      }
      if (part) this.stage(part.partition, part);
    }
    return undefined;
  }

  /** From now on nothing can be added. */
  end(): void {
    this.ended = true;
  }

  /**
   * Ends the unit while its handler still runs. It stays the current one, so that whatever the handler still decides is
   * refused, and nothing is written past the unit.
   */
  abandon(reason: Error): void {
    this.ended = true;
    this.abandoned = reason;
  }

  /**
   * @throws ConfigurationError when the unit has ended: what is added now would be lost
   * @throws the reason why it was abandoned
   */
  checkOpen(): void {
    if (this.abandoned) throw this.abandoned;
    if (this.ended) {
      throw new ConfigurationError(
        `${this.message?.type ?? 'the unit of work'} has been handled, this would be lost: await what a handler begins`,
      );
    }
  }
}

function callHandler(
  handler: HandlerDeclaration,
  data: object,
  context: MessageContext,
): ReturnType<HandlerDeclaration['handle']> {
  return handler.handle(data, context);
}

/** One list of what was staged, what stands beside it, and what is added to all. */
function joined<K extends 'guards' | 'writes', T extends NonNullable<Staged[K]>[number]>(
  staged: readonly Staged[] | undefined,
  name: K,
  beside: readonly T[] | undefined,
  added: readonly T[],
): readonly T[] {
  let all = beside ? [...beside, ...added] : added;
  for (let i = (staged?.length ?? 0) - 1; i >= 0; i--) {
    const part = staged![i]![name] as readonly T[] | undefined;
    if (part && part.length > 0) all = all.length > 0 ? part.concat(all) : part;
  }
  return all;
}
