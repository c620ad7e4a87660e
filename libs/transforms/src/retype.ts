import { isErased, toInstance, validateMessage } from '@millrace/messages';
import type { Contract, Envelope, MessageClass } from '@millrace/messages';

/** The data of a message as an instance of its class, checked unless it is one already. */
export function instanceOf<T extends object>(contract: MessageClass<T>, message: Envelope): T {
  return message.data instanceof contract ? message.data : toInstance(contract, message.data, true, isErased(message));
}

/** What a mapping gave as an instance of its target, checked. */
export function checked<T extends object>(contract: MessageClass<T>, mapped: object): T {
  return mapped instanceof contract ? validateMessage(mapped) : toInstance(contract, mapped);
}

/** A message of another contract that goes on in the place of this one: key, correlation and reply address stay. */
export function retyped(message: Envelope, target: Contract, data: object): Envelope {
  const { schemaversion: _old, outcome: _outcome, ...rest } = message;
  const key = keyIn(target, data);
  return {
    ...(key === undefined ? {} : { partitionkey: key }),
    ...rest,
    type: target.type,
    ...(target.version > 1 ? { schemaversion: target.version } : {}),
    ...(target.kind === 'reply' ? { outcome: target.failure ? 'failure' : 'success' } : {}),
    data,
  };
}

/**
 * A further message that this one causes. Its id follows from the cause's, so that a repetition has the same one.
 *
 * A part that is an event stays with the key of the whole, since all are written to its partition; another one has the
 * key of its contract.
 */
export function caused(cause: Envelope, id: string, target: Contract, data: object): Envelope {
  const whole = cause.partitionkey ?? cause.subject;
  const key = target.kind === 'event' ? whole : (keyIn(target, data) ?? whole ?? cause.id);
  return {
    specversion: '1.0',
    id,
    source: cause.source,
    type: target.type,
    ...(cause.time === undefined ? {} : { time: cause.time }),
    ...(key === undefined ? {} : { partitionkey: key }),
    correlationid: cause.correlationid ?? cause.id,
    causationid: cause.id,
    ...(cause.replyto !== undefined && target.kind === 'command' ? { replyto: cause.replyto } : {}),
    ...(cause.effectid !== undefined && target.kind === 'command' ? { effectid: cause.effectid } : {}),
    ...(cause.undoes !== undefined && target.kind === 'command' ? { undoes: cause.undoes } : {}),
    ...(cause.inreplyto !== undefined && target.kind === 'reply' ? { inreplyto: cause.inreplyto } : {}),
    ...(target.version > 1 ? { schemaversion: target.version } : {}),
    ...(target.kind === 'reply' ? { outcome: target.failure ? 'failure' : 'success' } : {}),
    data,
  };
}

function keyIn(target: Contract, data: object): string | undefined {
  const key = target.key === undefined ? undefined : (data as Record<string, unknown>)[target.key];
  return key === undefined || key === null ? undefined : String(key);
}
