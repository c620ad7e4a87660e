import { MessageError } from '@millrace/messages';
import { ANY_TYPE } from '@millrace/transforms';
import type { WaitTransform } from '@millrace/transforms';
import { ConfigurationError } from '../errors.js';
import type { PersonalDataProtection } from './personal-data-protection.js';

/** The step on the way in that makes personal data readable; messages without any pass. */
export function decryption(protection: PersonalDataProtection): WaitTransform {
  return {
    kind: 'decrypt',
    shape: 'wait',
    name: 'decrypt personal data',
    from: [ANY_TYPE],
    to: [ANY_TYPE],
    concerns: ({ personaldata, dataref }) => personaldata !== undefined && dataref === undefined,
    apply: (message) => protection.open(message),
  };
}

const WHAT_TO_DO = 'give the module personalData: { keys, masterKey }';

/** A message that was received with encrypted values, by a service that cannot read them. */
export function noKeys(type: string): MessageError {
  return new MessageError(
    'no-subject-keys',
    `${type} has encrypted personal data, and this service no keys: ${WHAT_TO_DO}`,
  );
}

/** Personal data that would be written as they are. */
export function noKeysFor(type: string, context: string): ConfigurationError {
  return new ConfigurationError(
    `${type} has personal data, and service '${context}' no keys to encrypt them: ${WHAT_TO_DO}`,
  );
}
