import { addressOf, parseAddress, parseReplyAddress, writesOf as writesOfOutgoing } from '@millrace/broker';
import type { Broker, Partition, Write } from '@millrace/broker';
import { effectId, stateName } from '../command-id.js';
import type { SagaDefinition } from '../definition.js';
import type { SagaInstance } from '../instance.js';
import { LockKey, SagaWake, StartSaga, UndoChild, UnlockKey } from '../internal-messages.js';
import type { SagaAction } from '../transition.js';
import { indexWrites } from './saga-index.js';
import { timerMoves } from './timer-moves.js';

/**
 * The moved instance and its actions as writes of one commit on the instance's partition.
 *
 * @param change.before as it was; undefined when it starts
 * @param change.woken by its timer, which is gone
 */
export async function writesOf<State>(
  broker: Broker,
  definition: SagaDefinition<State>,
  instance: SagaInstance<State>,
  actions: readonly SagaAction[],
  { before, timerAt, woken = false }: Change<State> = {},
): Promise<readonly Write[]> {
  const { stored, isSet } = timerMoves(instance, actions, timerAt, woken);
  const writes: Write[] = [
    { kind: 'put', state: stateName(instance.saga, instance.id), value: JSON.stringify(stored) },
    ...indexWrites(definition, instance, before),
  ];
  for (const action of actions) {
    if (action.kind === 'wake' ? isSet : action.kind !== 'call') {
      writes.push(...(await writesOfAction(broker, instance, action)));
    }
  }
  return writes;
}

interface Change<State> {
  readonly before?: SagaInstance<State> | undefined;
  /** When its timer is set for. */
  readonly timerAt?: number | undefined;
  readonly woken?: boolean;
}

/** The message by which an instance looks again at what it has to do. */
export async function resumption(broker: Broker, { saga, id, correlationid }: SagaInstance): Promise<Write> {
  const attributes = { correlationid, partitionkey: correlationid };
  const { text } = await broker.encode(new SagaWake(saga, id, true), attributes);
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

async function writesOfAction<State>(
  broker: Broker,
  instance: SagaInstance<State>,
  action: SagaAction,
): Promise<readonly Write[]> {
  const { saga, id, correlationid } = instance;
  const replyto = addressOf(broker.partitionFor(id));
  /** A message to another saga of this context, or to its locks. */
  const own = async (message: object, to: Partition, partitionkey: string, commandId?: string): Promise<Write[]> => {
    const attributes = { correlationid, partitionkey, ...(commandId === undefined ? {} : { id: commandId, replyto }) };
    return [{ kind: 'emit', to, message: (await broker.encode(message, attributes)).text }];
  };
  const lock = (message: object, key: string, commandId?: string): Promise<Write[]> => {
    const { partition, partitionkey } = lockPlace(broker, key);
    return own(message, partition, partitionkey, commandId);
  };
  switch (action.kind) {
    case 'send': {
      const { key, direction } = action;
      // So that what comes late, after it was undone, is refused where it is handled.
      const effect = effectId(action.id);
      const attributes = {
        id: action.id,
        correlationid,
        replyto,
        ...(key === undefined ? {} : { partitionkey: key }),
        ...(direction === 'undo' ? { undoes: effect } : action.undoable ? { effectid: effect } : {}),
      };
      return writesOfOutgoing(broker, await broker.outgoing(action.command, attributes));
    }
    case 'start-child':
      return own(
        new StartSaga(action.saga, action.child, action.input),
        broker.partitionFor(action.child),
        correlationid,
        action.id,
      );
    case 'undo-child':
      return own(new UndoChild(action.saga, action.child), broker.partitionFor(action.child), correlationid, action.id);
    case 'lock':
      return lock(new LockKey(action.key, `${saga}/${id}`, action.otherwise), action.key, action.id);
    case 'unlock':
      return lock(new UnlockKey(action.key, `${saga}/${id}`), action.key, action.id);
    case 'wake': {
      const timer = stateName(saga, id);
      if (action.at === undefined) return [{ kind: 'cancel-timer', id: timer }];
      // The key of the replies, so that what is due and a reply of one saga are handled one after the other.
      const { text } = await broker.encode(new SagaWake(saga, id), { correlationid, partitionkey: correlationid });
      return [{ kind: 'timer', id: timer, due: action.at, message: text }];
    }
    case 'publish':
      return writesOfOutgoing(broker, await broker.outgoing(action.message, { id: action.id, correlationid }));
    case 'answer':
      return answerWrites(broker, correlationid, action);
    case 'record': {
      const { text } = await broker.encode(action.event, { correlationid });
      return [{ kind: 'append', events: [text] }];
    }
    case 'keep-history':
      return [{ kind: 'put', state: historyName(saga, id, action.page), value: JSON.stringify(action.entries) }];
    case 'call':
      return [];
  }
}

async function answerWrites(
  broker: Broker,
  correlationid: string,
  { to: { replyto, commandId }, reply }: Extract<SagaAction, { kind: 'answer' }>,
): Promise<readonly Write[]> {
  const outgoing = await broker.outgoing(reply, {
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
