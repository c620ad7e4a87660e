import { contractOf, isErased, MessageError, toInstance } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { HandlerDeclaration } from './handler.js';
import { noKeys } from './personal-data/decryption.js';

/**
 * The data of a message as its handler wants them: an instance of its class, checked.
 *
 * @throws MessageError when they are not, or not here
 */
export function dataOf(broker: Broker, envelope: Envelope, handler: HandlerDeclaration): object {
  if (envelope.data === undefined && envelope.dataref !== undefined) {
    throw new MessageError(
      'claim-missing',
      `the data of ${envelope.type} are kept elsewhere (${envelope.dataref}): declare inbound: [restoreClaims(store)]`,
    );
  }
  if (envelope.personaldata !== undefined) throw noKeys(envelope.type);
  if (!handler.contract) return envelope.data as object;
  if (envelope.data instanceof handler.contract) return envelope.data;
  const { version, type } = contractOf(handler.contract);
  const byHand = envelope.source === '/by-hand' && envelope.schemaversion === undefined;
  if (!byHand && (envelope.schemaversion ?? 1) !== version) {
    throw new MessageError(
      'unsupported-version',
      `${type} has schema version ${envelope.schemaversion ?? 1}, this service knows ${version}: add an upcast`,
    );
  }
  return toInstance(handler.contract, envelope.data, broker.validate, isErased(envelope));
}
