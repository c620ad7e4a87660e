import { addressOf, writesOf as writesOfOutgoing } from '@millrace/broker';
import type { Broker, Partition, Write } from '@millrace/broker';
import { stateName } from './command-id.js';
import type { SagaInstance } from './instance.js';
import { SagaDeadline } from './saga-deadline.js';
import type { SagaAction } from './transition.js';

/** The moved instance and its actions as writes of one commit on the instance's partition. */
export async function writesOf<State>(
  broker: Broker,
  partition: Partition,
  instance: SagaInstance<State>,
  actions: readonly SagaAction[],
): Promise<readonly Write[]> {
  const put: Write = { kind: 'put', state: stateName(instance.saga, instance.id), value: JSON.stringify(instance) };
  const rest = actions.map((action) => writeOf(broker, partition, instance, action));
  return [put, ...(await Promise.all(rest)).flat()];
}

async function writeOf<State>(
  broker: Broker,
  partition: Partition,
  { saga, id, correlationid }: SagaInstance<State>,
  action: SagaAction,
): Promise<Write | readonly Write[]> {
  const timer = stateName(saga, id);
  switch (action.kind) {
    case 'send': {
      const attributes = { id: action.id, correlationid, replyto: addressOf(partition) };
      return writesOfOutgoing(broker, await broker.outgoing(action.command, attributes));
    }
    case 'deadline':
    case 'retry': {
      // The key of the replies, so that a deadline and a reply of one saga are handled one after the other.
      const attributes = { correlationid, partitionkey: correlationid };
      const { text } = await broker.encode(new SagaDeadline(action.kind, action.commandId), attributes);
      return { kind: 'timer', id: timer, due: action.at, message: text };
    }
    case 'cancel-timer':
      return { kind: 'cancel-timer', id: timer };
    case 'record': {
      const { text } = await broker.encode(action.event, { correlationid });
      return { kind: 'append', events: [text] };
    }
  }
}
