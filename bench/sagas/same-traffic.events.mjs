/** Messages as CloudEvents documents, with the attributes that Millrace gives them. */
import { randomUUID } from 'node:crypto';

/** A text of the time is made once for a batch. */
export function clock() {
  const ms = Date.now();
  return { ms, text: new Date(ms).toISOString() };
}

/** @param time as text */
export function orderPlaced(source, order, time) {
  return JSON.stringify({
    specversion: '1.0',
    id: randomUUID(),
    source,
    type: 'bench.order-placed',
    time,
    partitionkey: order.orderId,
    data: order,
  });
}

/** What a saga causes: what it tells of itself, its commands, its timer. */
export function caused(source, saga, cause, time, { id, type, data, ...more }) {
  return JSON.stringify({
    specversion: '1.0',
    id: id ?? randomUUID(),
    source,
    type,
    time,
    partitionkey: saga,
    correlationid: saga,
    causationid: cause.id,
    ...more,
    data,
  });
}

export function reply(source, command, time, { type, outcome, data }) {
  const { id, correlationid } = command;
  return JSON.stringify({
    specversion: '1.0',
    id: randomUUID(),
    source,
    type,
    time,
    correlationid,
    causationid: id,
    outcome,
    inreplyto: id,
    partitionkey: correlationid,
    data,
  });
}
