import { createHash } from 'node:crypto';
import { envelope } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { TransformError } from '@millrace/transforms';
import type { Gathered, GatherTransform } from '@millrace/transforms';
import type { Broker } from './broker.js';
import type { Write } from './commit.js';
import { ownLog } from './partition.js';
import type { Partition } from './partition.js';
import type { UnitOfWork } from './unit-of-work.js';

/** The type of the message that a group gets when the time of an aggregate is over. */
export const GATHER_TIMEOUT = 'millrace.aggregate-timeout';

/** What that message says. */
export interface GatherTimeout {
  readonly transform: string;
  readonly state: string;
  /** Partition of the state, and the first message of the aggregate that is meant: a later one has its own time. */
  readonly partition: Partition;
  readonly first: string;
}

/** An aggregate within one unit of work: read once, changed by any number of messages, written once. */
interface Open {
  gathered: Gathered | undefined;
  readonly before: Gathered | undefined;
}

/**
 * How long an ended aggregate leaves its revision behind, so that whoever read it before its end cannot take a new one for
 * it. Far longer than a lease, without which nothing is committed.
 */
const AFTERWARDS_MS = 3_600_000;

/**
 * Keeps the states of aggregates (Aggregator, Hohpe and Woolf) in this context's own partition of their correlation,
 * changed by the commit that acknowledges the message: whatever partition that came from, two processes cannot count past
 * each other, and a crash neither loses nor repeats one.
 */
export class Gathering {
  constructor(
    private readonly broker: Broker,
    private readonly group: string,
    private readonly unit: UnitOfWork,
  ) {}

  /** Adds a message: the combined message when the aggregate is complete now. */
  async gather(transform: GatherTransform, message: Envelope, step: number): Promise<Envelope | undefined> {
    const correlation = attempt(transform, step, () => transform.correlate(message));
    const state = this.stateOf(transform, correlation);
    const open = await this.open(transform, state, this.broker.partitionFor(correlation));
    return attempt(transform, step, () => {
      const gathered = transform.add(open.gathered, message);
      open.gathered = transform.isComplete(gathered) ? undefined : gathered;
      return open.gathered ? undefined : transform.combine(gathered, 'complete');
    });
  }

  /** What has come when the time is over; undefined when nothing has to end any more. */
  async expire(transform: GatherTransform, timeout: GatherTimeout, step: number): Promise<Envelope | undefined> {
    const open = await this.open(transform, timeout.state, timeout.partition);
    const { gathered } = open;
    if (gathered?.first.id !== timeout.first) return undefined;
    open.gathered = undefined;
    return attempt(transform, step, () => transform.combine(gathered, 'timeout'));
  }

  /** Guarded from the start, so that the unit knows its partition. */
  private async open(transform: GatherTransform, state: string, partition: Partition): Promise<Open> {
    const known = this.unit.identities.get(state) as Promise<Open> | undefined;
    if (known) return known;
    const opening = this.broker.store.readState(partition, state).then((stored): Open => {
      const before = stored && (JSON.parse(stored.value) as Gathered | null);
      const open: Open = { gathered: before ?? undefined, before: before ?? undefined };
      this.unit.stage(partition, { guards: [{ kind: 'revision', state, expected: stored?.revision ?? 0 }] });
      this.unit.stageLater(() => ({ partition, writes: this.writesOf(transform, state, partition, open) }));
      return open;
    });
    this.unit.identities.set(state, opening);
    return opening;
  }

  private writesOf(transform: GatherTransform, state: string, partition: Partition, open: Open): Write[] {
    const { before, gathered } = open;
    if (before === gathered) return [];
    const timed = transform.withinMs !== undefined;
    if (!gathered) {
      const put: Write = { kind: 'put', state, value: 'null', ttlMs: AFTERWARDS_MS };
      return before && timed ? [put, { kind: 'cancel-timer', id: state }] : [put];
    }
    const put: Write = { kind: 'put', state, value: JSON.stringify(gathered), ttlMs: 0 };
    if (!timed || before?.first.id === gathered.first.id) return [put];
    const now = this.broker.clock.now();
    const timeout: GatherTimeout = { transform: transform.name, state, partition, first: gathered.first.id };
    const { first } = gathered;
    const message = envelope(
      {
        source: `/${this.broker.context}`,
        type: GATHER_TIMEOUT,
        partitionkey: state,
        correlationid: first.correlationid ?? first.id,
        causationid: first.id,
        data: timeout,
      },
      now,
    );
    const to = { partition, log: ownLog(this.group) };
    return [put, { kind: 'timer', id: state, due: now + transform.withinMs!, message: JSON.stringify(message), to }];
  }

  private stateOf({ name }: GatherTransform, correlation: string): string {
    return `aggregate:${this.group}:${safe(name.replace(/^aggregate /, ''))}:${safe(correlation)}`;
  }
}

/** What a name can hold as it is; anything else by its hash. */
function safe(text: string): string {
  if (/^[\w.:@-]{1,64}$/.test(text) && !text.includes('..')) return text;
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function attempt<T>({ name }: GatherTransform, step: number, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new TransformError(name, step, cause);
  }
}
