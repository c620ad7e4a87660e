/** The saga by hand: what it is after a message, and the one message that follows. */
import { words } from './order.mjs';

const WITHIN_MS = 30_000;

const STEPS = [
  { does: 'reserve-stock', data: words.reserveStock, undoes: 'release-stock', undoData: words.releaseStock },
  { does: 'take-payment', data: words.takePayment, undoes: 'refund-payment', undoData: words.refundPayment },
  { does: 'book-delivery', data: words.bookDelivery },
];

/** @returns `{ instance, message, due }`; `due` undefined: it has ended */
export function begin(order) {
  return doStep({ id: order.orderId, startedAt: Date.now(), state: words.order(order) }, 0);
}

/** @returns as {@link begin}; undefined when the reply answers another command than the one in hand */
export function take(instance, { inReplyTo, outcome, data }) {
  if (inReplyTo !== instance.pending) return undefined;
  const { status, step } = instance;
  if (status === 'rejecting') return end(instance, 'compensated');
  if (status === 'compensating') return undo(instance, step - 1);
  if (outcome === 'failure') return undo({ ...instance, reason: data.reason }, step - 1);
  return doStep({ ...instance, state: { ...instance.state, ...data } }, step + 1);
}

function doStep(instance, step) {
  if (step === STEPS.length) return end(instance, 'completed');
  return send({ ...instance, status: 'running', step }, STEPS[step].does, STEPS[step].data(instance.state));
}

function undo(instance, step) {
  if (step < 0)
    return send(
      { ...instance, status: 'rejecting' },
      'reject-order',
      words.rejectOrder(instance.state, instance.reason),
    );
  return send({ ...instance, status: 'compensating', step }, STEPS[step].undoes, STEPS[step].undoData(instance.state));
}

function send(instance, type, data) {
  const id = `${instance.id}/${type}`;
  return { instance: { ...instance, pending: id }, message: { id, type, data }, due: Date.now() + WITHIN_MS };
}

function end(instance, status) {
  return {
    instance: { ...instance, status, pending: undefined },
    message: { id: instance.id, type: 'ended', outcome: status },
  };
}
