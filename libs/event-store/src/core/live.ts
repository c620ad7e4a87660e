import type { Broker } from '@millrace/broker';
import { readCategory, readStream, readTagged } from './event-reading.js';
import type { OpenEvent } from './event-reading.js';
import { evolvesByType, onEvent } from './evolves.js';
import type { Evolves, EvolvesOn, On } from './evolves.js';
import type { IndexReadOptions, PlacedEvent, ReadOptions } from './reading.js';
import { eventOf, openEntry } from './stored-event.js';
import type { StoredEvent } from './stored-event.js';
import type { StreamName } from './stream-name.js';

/** A view that is stored nowhere: {@link EventStore.fold} makes it of the events when it is asked for. */
export interface LiveView<State> {
  readonly initial: () => State;
  readonly evolves: ReadonlyMap<string, Evolves<State>>;
}

export interface LiveOptions<State> {
  /** The state before the first event. */
  readonly initial: () => State;
  /** The next state for each event that matters. It must not fail. Events of other types are passed over. */
  readonly evolve: (on: On<State>) => readonly EvolvesOn<State>[];
}

/** What is folded besides one stream: the events with a tag, or those of all streams of a category. */
export type FoldSource =
  | { readonly tag: string; readonly category?: never; readonly id?: never }
  | { readonly category: string; readonly tag?: never; readonly id?: never };

/** How far a stream is folded. */
export type FoldOptions = Pick<ReadOptions, 'upTo' | 'pageSize'> & { readonly key?: string };

/** How far a tag or category is folded, and in which partition. */
export type IndexFoldOptions = Pick<IndexReadOptions, 'upTo' | 'pageSize' | 'partition' | 'key'>;

/** A state, and the events it is made of. */
export interface LiveState<State> {
  readonly state: State;
  /**
   * Of the last event that was read, whether the view takes it or not; 0: there was none. For `appendIf({ after })`. Of use
   * where one partition is read only: by a `key`.
   */
  readonly position: number;
}

export interface LiveStreamState<State> extends LiveState<State> {
  /** Of the stream at that event; 0: it has no events. For `append({ expected })`. */
  readonly version: number;
}

/**
 * Declares a view that is made of the events whenever it is asked for, and so is never behind. As costly as there are events:
 * for one stream, a tag, a question that is seldom asked, or the past.
 *
 * @example
 * const balance = live({
 *   initial: () => 0,
 *   evolve: (on) => [on(PaidIn, (sum, { amount }) => sum + amount), on(PaidOut, (sum, { amount }) => sum - amount)],
 * });
 * const { state } = await events.fold(balance, 'account-7', { upTo: new Date('2026-01-01') });
 * @throws ConfigurationError for an event that stands there twice, or what is no event
 */
export function live<State>({ initial, evolve }: LiveOptions<State>): LiveView<State> {
  return { initial, evolves: evolvesByType('a live view', evolve(onEvent)) };
}

export async function foldLive<State>(
  broker: Broker,
  { initial, evolves }: LiveView<State>,
  source: StreamName | FoldSource,
  options: FoldOptions & IndexFoldOptions,
): Promise<LiveStreamState<State>> {
  let [state, position, version] = [initial(), 0, 0];
  for await (const event of eventsOf(broker, source, options)) {
    const evolution = evolves.get(event.message.type);
    if (evolution) state = evolution.evolve(state, eventOf(event, evolution));
    position = event.position;
    version = event.version;
  }
  return { state, position, version };
}

function eventsOf(
  broker: Broker,
  source: StreamName | FoldSource,
  options: FoldOptions & IndexFoldOptions,
): AsyncIterable<LiveEvent> {
  const open: OpenEvent<LiveEvent> = (entry, stream, version = 0) => {
    const opened = openEntry(broker, entry, stream);
    return opened instanceof Promise ? opened.then((event) => placed(event, version)) : placed(opened, version);
  };
  if (typeof source === 'string' || source.id !== undefined) return readStream(broker, source, options, open);
  if (source.tag !== undefined) return readTagged(broker, source.tag, options, open);
  return readCategory(broker, source.category, options, open);
}

/** Of what class it is, is not looked at before a view wants it. */
type LiveEvent = StoredEvent & PlacedEvent & { readonly version: number };

function placed(event: StoredEvent, version: number): LiveEvent {
  return { ...event, time: new Date(event.message.time ?? 0), version };
}
