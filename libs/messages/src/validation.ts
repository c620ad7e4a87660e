import { certainlyValid } from './certainly-valid.js';
import { contractOf } from './contract.js';
import type { MessageClass } from './contract.js';
import { MessageError } from './message-error.js';
import { revive } from './revive.js';
import { instanceOf } from './schema.js';
import { parseBySchema } from './standard-schema.js';
import { planOf } from './validation-plan.js';
import { wrongFields } from './wrong-fields.js';

/**
 * Turns received data into an instance of its contract class and checks it, with the schema of the class or with
 * class-validator. Properties that the class does not declare are dropped (a newer sender may know more), unless a schema
 * says otherwise.
 *
 * @param validate false: only makes the instance
 * @throws MessageError `invalid-data` that names every wrong field and the reason
 */
export function toInstance<T extends object>(contract: MessageClass<T>, data: unknown, validate = true): T {
  const { type, schema } = contractOf(contract);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new MessageError('invalid-data', `${type}: data is ${describe(data)}, expected an object`);
  }
  if (schema) return instanceOf(contract, validate ? parseBySchema(schema, type, data) : data);
  let instance: T;
  try {
    instance = revive(contract, data, validate ? planOf(contract)?.declared : undefined);
  } catch (cause) {
    throw new MessageError('invalid-data', `${type}: ${(cause as Error).message}`, { cause });
  }
  return validate ? validated(instance, type, true) : instance;
}

/**
 * Checks a message that is about to be published.
 *
 * @throws MessageError `undeclared` or `invalid-data`
 */
export function validateMessage<T extends object>(message: T): T {
  const { type, schema } = contractOf(message);
  if (!schema) return validated(message, type, false);
  parseBySchema(schema, type, { ...message });
  return message;
}

function validated<T extends object>(instance: T, type: string, whitelist: boolean): T {
  if (certainlyValid(instance, whitelist)) return instance;
  const wrong = wrongFields(instance, whitelist);
  if (wrong.length > 0) throw new MessageError('invalid-data', `${type}: ${wrong.join('; ')}`);
  return instance;
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
