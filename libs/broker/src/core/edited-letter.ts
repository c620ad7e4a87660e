import {
  contractOf,
  encode,
  envelope,
  findContract,
  MESSAGE_FIELD,
  MessageError,
  toInstance,
} from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { DeadLetter } from './commit.js';
import { ConfigurationError } from './errors.js';
import type { HandlerGroup } from './handler.js';
import { MessageReader } from './message-reader.js';
import { ownLog } from './partition.js';

/** New data of a message: as plain data, as an instance of its class, or made from the old. */
export type Edit = object | ((data: unknown, message: Envelope | undefined) => object);

/** New data of a message whose class is known, made from the old. */
export interface EditAs<T extends object> {
  readonly as: MessageClass<T>;
  readonly edit: (data: T, message: Envelope) => T;
}

/**
 * The fields of a dead letter with other data. Its group reads them once, as it will when it is redriven, so that what it
 * cannot take is refused now. Data that were compressed or kept elsewhere stand in the message itself from then on, and
 * personal data are encrypted again.
 *
 * @param group undefined when this service has no such group
 * @param as class of the data that the edit is given; the message must be of its type and version
 * @throws MessageError when the data break the contract, or the message cannot be read and the data do not tell its type
 * @throws ConfigurationError when the group is another service's
 */
export async function editedFields(
  broker: Broker,
  group: HandlerGroup | undefined,
  letter: DeadLetter,
  edit: Edit,
  as?: MessageClass,
): Promise<readonly string[]> {
  if (!group) {
    throw new ConfigurationError(
      `dead letter of group '${letter.group}' cannot be edited by service '${broker.context}', which does not know what the ` +
        `group takes: redrive it edited in the service that has the group, or unedited here`,
    );
  }
  const former = await openLetter(broker, letter);
  const data = typeof edit === 'function' ? (edit as (...given: unknown[]) => object)(given(former, as), former) : edit;
  const message = messageWith(broker, letter, former, data);
  const source = { partition: letter.entry.source.partition, log: ownLog(letter.group) };
  const received = new MessageReader(broker, group).read({
    source,
    id: letter.entry.id,
    fields: fieldsOf(broker, message),
  });
  if (received.kind === 'refused') throw received.error;
  return fieldsOf(broker, await broker.messages.seal(message));
}

function fieldsOf(broker: Broker, message: Envelope): string[] {
  return [MESSAGE_FIELD, encode(message, broker.limits)];
}

/** The message with its data as they were sent; undefined when it cannot be read. */
async function openLetter(broker: Broker, { fields, entry }: DeadLetter): Promise<Envelope | undefined> {
  try {
    const message = broker.open({ fields, id: entry.id });
    return (await broker.personalData?.open(message)) ?? message;
  } catch {
    return undefined;
  }
}

/** What an edit is given. */
function given(former: Envelope | undefined, as: MessageClass | undefined): unknown {
  if (former?.data === undefined && former?.dataref !== undefined) {
    throw new MessageError(
      'claim-missing',
      `the data of ${former.type} are kept elsewhere (${former.dataref}): give the new data themselves instead of a function`,
    );
  }
  if (!as) return former?.data;
  const { type, version } = contractOf(as);
  if (former?.type !== type || (former.schemaversion ?? 1) !== version) {
    const found = former ? `is ${former.type} version ${former.schemaversion ?? 1}` : 'cannot be read';
    throw new ConfigurationError(
      `the dead letter ${found}, and ${as.name} is ${type} version ${version}: edit it without 'as'`,
    );
  }
  return toInstance(as, former.data, false);
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
  if (former) {
    const { data_base64: _compressed, dataencoding: _how, dataref: _where, personaldata: _sealed, ...kept } = former;
    return { ...kept, ...declared, data };
  }
  const { key, type } = contractOf(data);
  const partitionkey = key === undefined ? letter.key : String((data as Record<string, unknown>)[key]);
  const init = { source: `/${broker.context}`, type, ...declared, data };
  return envelope(partitionkey === undefined ? init : { ...init, partitionkey }, broker.clock.now());
}
