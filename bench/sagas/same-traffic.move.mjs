/** What every transition of the saga is made of: the history, the listings, the timer, and what is said to others. */
import { SAGAS } from './same-traffic.keys.mjs';

/** A command follows, for the step that the saga is at from now on. */
export function send(move, from, { name, path, direction }, due, now, command) {
  const { instance, stored } = move;
  stored.history.push([name, path, direction === 'undo' ? 1 : 0, 'sent', now - instance.startedAt]);
  instance.wakeAt = due;
  // One that comes early enough is left as it is: most come for nothing.
  if (!(stored.timerAt <= due && stored.timerAt > now)) {
    stored.timerAt = due;
    move.timer = 'set';
  }
  if (from) move.gone.push(stepListing(instance, from.name));
  move.come.push(stepListing(instance, name));
  move.command = { id: commandId(instance, path, direction), ...command };
  return move;
}

/** It has ended. */
export function end(move, from, status, now) {
  const { instance, stored } = move;
  const back = status === 'compensated' ? 1 : 0;
  stored.history.push(['saga', '', back, status, now - instance.startedAt]);
  become(move, instance.status, status);
  instance.endedAt = now;
  instance.wakeAt = undefined;
  stored.timerAt = undefined;
  move.gone.push(stepListing(instance, from.name));
  move.come.push(listing('ended', `${SAGAS} ${status}`, instance, now));
  move.timer = 'cancel';
  tell(move, 'saga.ended', { outcome: status }, now);
  return move;
}

/** It has another status, and is listed by that. */
export function become({ instance, gone, come }, from, status) {
  instance.status = status;
  if (from) gone.push(listing('status', `${SAGAS} ${from}`, instance, instance.startedAt));
  come.push(listing('status', `${SAGAS} ${status}`, instance, instance.startedAt));
}

/** An event of its course. */
export function tell(move, type, more, now) {
  const { saga, id } = move.instance;
  move.event = { type, data: { saga, id, ...more, at: new Date(now).toISOString() } };
}

export function commandId({ id }, path, direction) {
  return `${SAGAS}/${id}/${path}/${direction}/1`;
}

/** By the step that it is at. */
function stepListing(instance, name) {
  return listing('step', `${SAGAS} "${name}"`, instance, instance.startedAt);
}

/** A member of the sorted set of listings. */
export function listing(list, prefix, { id }, at) {
  return `${list}\0${prefix} ${String(at).padStart(15, '0')}\0${SAGAS}/${id}`;
}
