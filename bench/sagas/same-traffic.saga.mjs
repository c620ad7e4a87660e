/** The saga by hand, as Millrace would store it: how far it has come, what happened, where lists have it, when it is due. */
import { SAGAS } from './same-traffic.keys.mjs';
import { words } from './order.mjs';
import { become, commandId, end, listing, send, tell } from './same-traffic.move.mjs';

const WITHIN_MS = 30_000;
const UNDO_WITHIN_MS = 10_000;

const STEPS = [
  {
    name: 'reserve stock',
    does: 'shop.reserve-stock',
    data: words.reserveStock,
    undoes: 'shop.release-stock',
    undoData: words.releaseStock,
  },
  {
    name: 'take payment',
    does: 'shop.take-payment',
    data: words.takePayment,
    undoes: 'shop.refund-payment',
    undoData: words.refundPayment,
  },
  { name: 'book delivery', does: 'shop.book-delivery', data: words.bookDelivery },
];

/**
 * What follows from a message: the instance as it is then, and `stored` with what stands beside it, `gone` and `come` of its listings, and perhaps
 *
 * - `event`: `{ type, data }` that tells of it
 * - `command`: `{ id, type, data, effectid, undoes }`, what the participants are to do
 * - `timer`: `set`, `cancel` or `keep`
 */
export function begin(order, now) {
  const id = order.orderId;
  const state = words.order(order);
  const instance = {
    saga: SAGAS,
    id,
    version: 1,
    hash: '000000000000',
    correlationid: id,
    status: 'running',
    state,
    startedAt: now,
    updatedAt: now,
    run: { phase: 'doing', runs: [] },
  };
  const history = [['saga', '', 0, 'started', 0, { change: { value: state } }]];
  const stored = { instance, timerAt: undefined, keys: {}, history };
  const move = { stored, instance, gone: [], come: [listing('saga', SAGAS, instance, now)], timer: 'keep' };
  become(move, undefined, 'running');
  tell(move, 'saga.started', {}, now);
  return doStep(move, undefined, 0, now);
}

/** @returns as {@link begin}; undefined when it answers another command than the one in hand */
export function take(stored, { inreplyto, outcome, data }, now) {
  const { instance } = stored;
  const at = placeOf(instance);
  if (!at || inreplyto !== commandId(instance, at.path, at.direction)) return undefined;
  const move = { stored, instance, gone: [], come: [], timer: 'keep' };
  instance.updatedAt = now;
  const { run, startedAt } = instance;
  const happened = (what, more) =>
    stored.history.push([at.name, at.path, at.direction === 'undo' ? 1 : 0, what, now - startedAt, ...more]);
  if (instance.farewell) {
    happened('done', []);
    instance.farewell = { phase: 'done', attempt: 1 };
    return end(move, at, 'compensated', now);
  }
  const step = Number(at.path);
  if (run.back) {
    happened('done', []);
    run.runs[step] = { phase: 'undone', attempt: 1 };
    return undo(move, at, step - 1, now);
  }
  if (outcome === 'failure') {
    happened('refused', []);
    run.runs[step] = { phase: 'undone', attempt: 1 };
    return turn(move, at, data.reason, now);
  }
  // A copy: the history has the state that it began with.
  instance.state = { ...instance.state, ...data };
  happened('done', [{ change: { set: data } }]);
  const { key } = run.runs[step];
  run.runs[step] = { phase: 'done', attempt: 1, key };
  if (step + 1 < STEPS.length) return doStep(move, at, step + 1, now);
  run.phase = 'done';
  return end(move, at, 'completed', now);
}

/** What is in hand: one of the steps, or the last command. */
function placeOf({ run, farewell }) {
  if (farewell) return farewell.phase === 'doing' ? { name: 'rejection', path: 'end', direction: 'do' } : undefined;
  const step = run.runs.findIndex(({ phase }) => phase === 'doing' || phase === 'undoing');
  if (step < 0) return undefined;
  return { name: STEPS[step].name, path: String(step), direction: run.back ? 'undo' : 'do' };
}

function doStep(move, from, step, now) {
  const { instance } = move;
  const { name, does, data, undoes } = STEPS[step];
  const due = now + WITHIN_MS;
  instance.run.runs[step] = { phase: 'doing', attempt: 1, due, ...(undoes && { key: instance.id }) };
  const effectid = undoes && `${SAGAS}/${instance.id}/${step}`;
  return send(move, from, { name, path: String(step), direction: 'do' }, due, now, {
    type: does,
    data: data(instance.state),
    effectid,
  });
}

function turn(move, from, reason, now) {
  const { instance } = move;
  instance.failure = { step: from.name, reason };
  instance.run = { phase: 'undoing', back: true, runs: instance.run.runs };
  become(move, 'running', 'compensating');
  tell(move, 'saga.turned', { step: from.name, reason }, now);
  return undo(move, from, Number(from.path) - 1, now);
}

function undo(move, from, step, now) {
  const { instance } = move;
  if (step < 0) return reject(move, from, now);
  const { name, undoes, undoData } = STEPS[step];
  const due = now + UNDO_WITHIN_MS;
  instance.run.runs[step] = { phase: 'undoing', attempt: 1, due, key: instance.id };
  return send(move, from, { name, path: String(step), direction: 'undo' }, due, now, {
    type: undoes,
    data: undoData(instance.state),
    undoes: `${SAGAS}/${instance.id}/${step}`,
  });
}

function reject(move, from, now) {
  const { instance } = move;
  const due = now + WITHIN_MS;
  instance.run.phase = 'undone';
  instance.farewell = { phase: 'doing', attempt: 1, due };
  become(move, 'compensating', 'rejecting');
  return send(move, from, { name: 'rejection', path: 'end', direction: 'do' }, due, now, {
    type: 'shop.reject-order',
    data: words.rejectOrder(instance.state, instance.failure.reason),
  });
}
