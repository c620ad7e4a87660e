import { keyOf } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { Guard } from './commit.js';
import { checkWindow } from './dedupe-window.js';
import { addressOf } from './partition.js';
import type { UnitOfWork } from './unit-of-work.js';

type DedupeGuard = Extract<Guard, { kind: 'command' }> &
  Required<Pick<Extract<Guard, { kind: 'command' }>, 'partition'>>;

/**
 * Lets a message with this id through once within a window. It is remembered in the partition of the message's key, wherever
 * it is published from.
 *
 * @throws ConfigurationError for a window that is no number of ms
 */
export function dedupeGuard(broker: Broker, message: Envelope, windowMs = broker.dedupeWindowMs): DedupeGuard {
  const partition = broker.partitionFor(keyOf(message));
  return { kind: 'command', id: `publish:${message.id}`, result: '', ttlMs: checkWindow(windowMs), partition };
}

/** Whether the guard would refuse: published before, or by this handler in this run. */
export async function isKnown({ store }: Broker, unit: UnitOfWork, { id, partition }: DedupeGuard): Promise<boolean> {
  const identity = `${addressOf(partition)} ${id}`;
  if (unit.identities.has(identity)) return true;
  unit.identities.set(identity, true);
  return (await store.readCommand(partition, id)) !== undefined;
}
