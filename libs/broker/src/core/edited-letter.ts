import { contractOf, encode, envelope, findContract, MESSAGE_FIELD, MessageError } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { DeadLetter } from './commit.js';
import { messageOf } from './dead-letter-view.js';
import { ConfigurationError } from './errors.js';
import type { HandlerGroup } from './handler.js';
import { MessageReader } from './message-reader.js';
import { ownLog } from './partition.js';

/** New data of a message: as plain data, as an instance of its class, or made from the old. */
export type Edit = object | ((data: unknown, message: Envelope | undefined) => object);

/**
 * The fields of a dead letter with other data. Its group reads them once, as it will when it is redriven, so that what it
 * cannot take is refused now.
 *
 * @param group undefined when this service has no such group
 * @throws MessageError when the data break the contract, or the message cannot be read and the data do not tell its type
 * @throws ConfigurationError when the group is another service's
 */
export function editedFields(
  broker: Broker,
  group: HandlerGroup | undefined,
  letter: DeadLetter,
  edit: Edit,
): readonly string[] {
  if (!group) {
    throw new ConfigurationError(
      `dead letter of group '${letter.group}' cannot be edited by service '${broker.context}', which does not know what the ` +
        `group takes: redrive it edited in the service that has the group, or unedited here`,
    );
  }
  const former = messageOf(letter, broker.limits);
  const data = (typeof edit === 'function' ? edit(former?.data, former) : edit) as object;
  const fields = [MESSAGE_FIELD, encode(messageWith(broker, letter, former, data), broker.limits)];
  const source = { partition: letter.entry.source.partition, log: ownLog(letter.group) };
  const received = new MessageReader(broker, group).read({ source, id: letter.entry.id, fields });
  if (received.kind === 'refused') throw received.error;
  return fields;
}

function messageWith(broker: Broker, letter: DeadLetter, former: Envelope | undefined, data: object): Envelope {
  const contract = findContract(data);
  if (!former && !contract) {
    throw new MessageError(
      'malformed',
      'the dead letter cannot be read: edit it with an instance of the class of its message',
    );
  }
  const declared = contract && { type: contract.type, schemaversion: contract.version };
  if (former) return { ...former, ...declared, data };
  const { key, type } = contractOf(data);
  const partitionkey = key === undefined ? letter.key : String((data as Record<string, unknown>)[key]);
  const init = { source: `/${broker.context}`, type, ...declared, data };
  return envelope(partitionkey === undefined ? init : { ...init, partitionkey }, broker.clock.now());
}
