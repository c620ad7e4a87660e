import { addressOf, parseAddress, parseReplyAddress, writesOf as writesOfOutgoing } from '@millrace/broker';
import type { Broker, MessageWriter, Partition, Write } from '@millrace/broker';
import { effectId, stateName } from '../command-id.js';
import { isOver } from '../instance.js';
import type { SagaInstance } from '../instance.js';
import { LockKey, SagaWake, StartSaga, UndoChild, UnlockKey } from '../internal-messages.js';
import type { SagaAction } from '../transition.js';
import { listingMoves } from './saga-index.js';
import type { Listing } from './saga-index.js';
import { toStored } from './stored-instance.js';
import type { BusinessKeys } from './stored-instance.js';
import { InstancePut } from './recent-instances.js';
import { timerMoves } from './timer-moves.js';

/**
 * The moved instance, first, and its actions as writes of one commit on the instance's partition. A promise only where a
 * message waits for something.
 */
export function writesOf<State>(
  broker: Broker,
  instance: SagaInstance<State>,
  actions: readonly SagaAction[],
  { state, listed, after, keys, timerAt: before, woken }: Change,
): readonly Write[] | Promise<readonly Write[]> {
  const { saga, id } = instance;
  const { timerAt, isSet } = timerMoves(instance, actions, before, woken);
  const writes: Write[] = [
    new InstancePut(state, toStored(instance, { timerAt, keys }), isOver(instance) ? undefined : after),
  ];
  const listing = listingMoves(saga, id, listed, after);
  if (listing) writes.push(listing);
  for (const [i, action] of actions.entries()) {
    if (!isWritten(action, isSet)) continue;
    const made = writesOfAction(broker, instance, action);
    if (made instanceof Promise) return writesBehind(broker, instance, actions.slice(i + 1), isSet, writes, made);
    for (const write of made) writes.push(write);
  }
  return writes;
}

/** Those behind one that waits keep their place. */
async function writesBehind<State>(
  broker: Broker,
  instance: SagaInstance<State>,
  actions: readonly SagaAction[],
  isSet: boolean,
  writes: Write[],
  waiting: Promise<readonly Write[]>,
): Promise<readonly Write[]> {
  writes.push(...(await waiting));
  for (const action of actions) {
    if (isWritten(action, isSet)) writes.push(...(await writesOfAction(broker, instance, action)));
  }
  return writes;
}

/** @param isTimerSet whether its timer is to be written */
function isWritten({ kind }: SagaAction, isTimerSet: boolean): boolean {
  return kind === 'wake' ? isTimerSet : kind !== 'call';
}

/** What a change is made of besides the instance. */
export interface Change {
  /** The name of the instance's state. */
  readonly state: string;
  /** Where lists had it before. */
  readonly listed: readonly Listing[];
  /** Where they have it from now on. */
  readonly after: readonly Listing[];
  /** By what keys it is found from now on. */
  readonly keys: BusinessKeys | undefined;
  /** When its timer was set for. */
  readonly timerAt: number | undefined;
  /** By its timer, which is gone. */
  readonly woken: boolean;
}

/** The message by which an instance looks again at what it has to do. */
export async function resumption(broker: Broker, { saga, id, correlationid }: SagaInstance): Promise<Write> {
  const attributes = { correlationid, partitionkey: correlationid };
  const { text } = await broker.messages.encode(new SagaWake(saga, id, true), attributes);
  return { kind: 'emit', to: broker.partitionFor(id), message: text };
}

/** Name of the state with a page of an instance's history. */
export function historyName(saga: string, id: string, page: number): string {
  return `saga-history.${stateName(saga, id).slice('saga.'.length)}.${page}`;
}

/** By what the messages of a lock are handled in order, and where it is kept. */
export function lockPlace(
  broker: Broker,
  key: string,
): { readonly partition: Partition; readonly partitionkey: string } {
  const partitionkey = `saga-lock/${key}`;
  return { partition: broker.partitionFor(partitionkey), partitionkey };
}

type Made = readonly Write[] | Promise<readonly Write[]>;

function writesOfAction<State>(broker: Broker, instance: SagaInstance<State>, action: SagaAction): Made {
  const { saga, id, correlationid } = instance;
  switch (action.kind) {
    case 'send': {
      const { key, direction } = action;
      const attributes: Attributes = { id: action.id, correlationid, replyto: addressOf(broker.partitionFor(id)) };
      if (key !== undefined) attributes.partitionkey = key;
      // So that what comes late, after it was undone, is refused where it is handled.
      if (direction === 'undo') attributes.undoes = effectId(action.id);
      else if (action.undoable) attributes.effectid = effectId(action.id);
      return sent(broker, action.command, attributes);
    }
    case 'start-child': {
      const child = new StartSaga(action.saga, action.child, action.input);
      return asked(broker, instance, child, broker.partitionFor(action.child), correlationid, action.id);
    }
    case 'undo-child': {
      const child = new UndoChild(action.saga, action.child);
      return asked(broker, instance, child, broker.partitionFor(action.child), correlationid, action.id);
    }
    case 'lock': {
      const { partition, partitionkey } = lockPlace(broker, action.key);
      const lock = new LockKey(action.key, `${saga}/${id}`, action.otherwise);
      return asked(broker, instance, lock, partition, partitionkey, action.id);
    }
    case 'unlock': {
      const { partition, partitionkey } = lockPlace(broker, action.key);
      const unlock = new UnlockKey(action.key, `${saga}/${id}`);
      return asked(broker, instance, unlock, partition, partitionkey, action.id);
    }
    case 'wake': {
      const timer = stateName(saga, id);
      const { at } = action;
      if (at === undefined) return [{ kind: 'cancel-timer', id: timer }];
      // The key of the replies, so that what is due and a reply of one saga are handled one after the other.
      const attributes = { correlationid, partitionkey: correlationid };
      return encoded(broker, new SagaWake(saga, id), attributes, asTimer, { id: timer, due: at });
    }
    case 'publish':
      return sent(broker, action.message, { id: action.id, correlationid });
    case 'answer':
      return answerWrites(broker, correlationid, action);
    case 'record':
      return encoded(broker, action.event, { correlationid }, asEvent, undefined);
    case 'keep-history':
      return [{ kind: 'put', state: historyName(saga, id, action.page), value: JSON.stringify(action.entries) }];
    case 'call':
      return [];
  }
}

type Attribute = 'id' | 'correlationid' | 'replyto' | 'partitionkey' | 'effectid' | 'undoes';
type Attributes = { -readonly [K in Attribute]?: string };

/** A message to another saga of this context, or to its locks. Without an id of its own nobody waits for an answer. */
function asked(
  broker: Broker,
  { id, correlationid }: Pick<SagaInstance, 'id' | 'correlationid'>,
  message: object,
  to: Partition,
  partitionkey: string,
  commandId: string | undefined,
): Made {
  const attributes: Attributes = { correlationid, partitionkey };
  if (commandId !== undefined) {
    attributes.id = commandId;
    attributes.replyto = addressOf(broker.partitionFor(id));
  }
  return encoded(broker, message, attributes, asEmit, to);
}

const asTimer: Writing<{ readonly id: string; readonly due: number }> = (message, { id, due }) => ({
  kind: 'timer',
  id,
  due,
  message,
});
const asEvent: Writing<undefined> = (text) => ({ kind: 'append', events: [text] });
const asEmit: Writing<Partition> = (message, to) => ({ kind: 'emit', to, message });

type Writing<About> = (text: string, about: About) => Write;

/** A message that stays in this context. */
function encoded<About>(
  broker: Broker,
  message: object,
  attributes: Parameters<MessageWriter['encode']>[1],
  write: Writing<About>,
  about: About,
): Made {
  const made = broker.messages.encode(message, attributes);
  return made instanceof Promise ? encodedLater(made, write, about) : [write(made.text, about)];
}

async function encodedLater<About>(
  made: Promise<{ readonly text: string }>,
  write: Writing<About>,
  about: About,
): Promise<readonly Write[]> {
  return [write((await made).text, about)];
}

function sent(broker: Broker, message: object, attributes: Parameters<MessageWriter['outgoing']>[1]): Made {
  const outgoing = broker.messages.outgoing(message, attributes);
  return outgoing instanceof Promise
    ? outgoing.then((all) => writesOfOutgoing(broker, all))
    : writesOfOutgoing(broker, outgoing);
}

async function answerWrites(
  broker: Broker,
  correlationid: string,
  { to: { replyto, commandId }, reply }: Extract<SagaAction, { kind: 'answer' }>,
): Promise<readonly Write[]> {
  const outgoing = await broker.messages.outgoing(reply, {
    inreplyto: commandId,
    correlationid,
    partitionkey: correlationid,
    replyto,
  });
  const process = parseReplyAddress(replyto);
  const partition = parseAddress(replyto);
  return outgoing.flatMap(({ text }): Write[] => {
    if (process) return [{ kind: 'reply', to: process, message: text }];
    return partition ? [{ kind: 'emit', to: partition, message: text }] : [];
  });
}
