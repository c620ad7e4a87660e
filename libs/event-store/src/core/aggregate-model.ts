import { ConfigurationError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { ChainMode } from './chain/chain-rule.js';
import { journalOf } from './journal.js';
import type { Snapshotting } from './snapshotting.js';
import type { EventClass } from './stored-event.js';

/** How one event type changes an aggregate. */
export interface Evolution<A extends object> extends EventClass {
  apply(aggregate: A, event: object): void;
}

/** What changes by events, however it is written. */
export interface Evolving<A extends object> {
  /** What its author calls it, for errors. */
  readonly label: string;
  /** What is wrong with an event type that is not among `evolutions`, and what to add. */
  readonly remedy: string;
  readonly evolutions: ReadonlyMap<string, Evolution<A>>;
}

/** All that a repository knows of a kind of aggregate: what decorated classes and deciders have in common. */
export interface AggregateModel<A extends object> extends Evolving<A> {
  /** Its events are kept in the stream `<name>-<id>`. */
  readonly name: string;
  create(): A;
  /** Undefined: it is always made of all its events. */
  readonly snapshots: Snapshotting<A> | undefined;
  /** Whether its streams are chained. Undefined: only where the event store says so. */
  readonly chain?: ChainMode | undefined;
}

/** A fresh aggregate without events. */
export function newAggregate<A extends object>(model: AggregateModel<A>, id: string): A {
  const aggregate = model.create();
  journalOf(aggregate).id = id;
  return aggregate;
}

/** Applies an event that has happened, and counts it; false when the model does not know its type. */
export function replay<A extends object>(
  { evolutions }: Evolving<A>,
  aggregate: A,
  type: string,
  event: object,
): boolean {
  const evolution = evolutions.get(type);
  if (!evolution) return false;
  evolution.apply(aggregate, event);
  journalOf(aggregate).version++;
  return true;
}

/**
 * Applies an event at once and keeps it for the commit.
 *
 * @throws ConfigurationError for what is no event, or one that the model does not know; then nothing is kept
 */
export function recordWith<A extends object>(model: Evolving<A>, aggregate: A, event: object): void {
  const { kind, type } = contractOf(event);
  if (kind !== 'event') {
    throw new ConfigurationError(`${model.label} records ${type}, a ${kind}: only events are recorded`);
  }
  if (!replay(model, aggregate, type, event)) {
    throw new ConfigurationError(`${model.label} records ${type}, but ${model.remedy}(${event.constructor.name})`);
  }
  journalOf(aggregate).recorded.push(event);
}

/** The events recorded since the last call. */
export function takeRecorded(aggregate: object): readonly object[] {
  return journalOf(aggregate).recorded.splice(0);
}
