import type { Envelope } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { Commit } from './commit.js';
import type { HandlerDeclaration } from './handler.js';
import type { Origin } from './origin.js';
import { addressOf } from './partition.js';
import type { Entry, Partition } from './partition.js';

/** What a command says of the effect that it has, or undoes. */
interface EffectNames {
  readonly effect: string | undefined;
  readonly undoes: string | undefined;
}

/** What of a message tells about its effects. */
interface Command {
  readonly envelope: Envelope;
  readonly origin: Origin | undefined;
  readonly handler: Pick<HandlerDeclaration, 'unwatched'>;
}

/** The message that has undone an effect. */
export interface Undoer {
  readonly id: string;
  readonly source: string;
  readonly type: string;
}

/**
 * Undefined for nearly all messages. What comes from a feed is an event, and no effect of a command; who only lets messages pass
 * does nothing that could be undone.
 */
export function effectsOf(
  { envelope, origin, handler }: Command,
  { source }: Pick<Entry, 'source'>,
): EffectNames | undefined {
  const { effectid: effect, undoes } = envelope;
  if ((effect === undefined && undoes === undefined) || handler.unwatched) return undefined;
  return (origin?.entry.source ?? source).log === 'feed' ? undefined : { effect, undoes };
}

/**
 * What a command with an effect decided, guarded by that it has not been undone; what one decided that undoes an effect, with
 * a tombstone of that.
 *
 * Both stand in the partition of the inbox, where who comes later looks first, and in that of the commit, where in a Cluster
 * nothing can come between the guard and the writes.
 */
export function withTombstones(broker: Broker, message: Command, entry: Pick<Entry, 'source'>, commit: Commit): Commit {
  const names = effectsOf(message, entry);
  if (!names) return commit;
  const { effect, undoes } = names;
  const places = placesOf(commit, entry);
  const ttlMs = broker.tombstoneTtlMs;
  const by = undoes === undefined ? '' : undoerOf(message);
  return {
    ...commit,
    guards:
      effect === undefined
        ? commit.guards
        : [...commit.guards, ...places.map((partition) => ({ kind: 'tombstone', effect, partition }) as const)],
    writes:
      undoes === undefined
        ? commit.writes
        : [
            ...commit.writes,
            ...places.map((partition) => ({ kind: 'tombstone', effect: undoes, by, ttlMs, partition }) as const),
          ],
  };
}

/** Reads who undid an effect, as it stands in a tombstone. */
export function parseUndoer(by: string): Undoer {
  return JSON.parse(by) as Undoer;
}

function placesOf({ partition }: Commit, { source }: Pick<Entry, 'source'>): readonly Partition[] {
  return addressOf(partition) === addressOf(source.partition) ? [partition] : [partition, source.partition];
}

function undoerOf({ envelope: { id, source, type } }: Command): string {
  return JSON.stringify({ id, source, type } satisfies Undoer);
}
