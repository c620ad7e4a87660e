import { certainlyValid } from './certainly-valid.js';
import { contractOf } from './contract.js';
import type { MessageClass } from './contract.js';
import { MessageError } from './message-error.js';
import { revive } from './revive.js';
import { instanceOf } from './schema.js';
import { parseBySchema } from './standard-schema.js';
import { planOf } from './validation-plan.js';
import { isPersonal } from './personal-data/personal-plan.js';
import { wrongFields } from './wrong-fields.js';
import type { Excused } from './wrong-fields.js';

/**
 * Turns received data into an instance of its contract class and checks it, with the schema of the class or with
 * class-validator. Properties that the class does not declare are dropped (a newer sender may know more), unless a schema
 * says otherwise.
 *
 * @param validate false: only makes the instance
 * @param erased whether personal values cannot be read any more: then nothing is asked of what stands in for them
 * @throws MessageError `invalid-data` that names every wrong field and the reason
 */
export function toInstance<T extends object>(
  contract: MessageClass<T>,
  data: unknown,
  validate = true,
  erased = false,
): T {
  const { type, schema } = contractOf(contract);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new MessageError('invalid-data', `${type}: data is ${describe(data)}, expected an object`);
  }
  const excused = erased ? (path: readonly string[]) => isPersonal(contract, path) : undefined;
  if (schema) return instanceOf(contract, validate ? parseBySchema(schema, type, data, undefined, excused) : data);
  let instance: T;
  try {
    instance = revive(contract, data, validate ? planOf(contract)?.declared : undefined);
  } catch (cause) {
    throw new MessageError('invalid-data', `${type}: ${(cause as Error).message}`, { cause });
  }
  return validate ? validated(instance, type, true, excused) : instance;
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

function validated<T extends object>(instance: T, type: string, whitelist: boolean, excused?: Excused): T {
  if (certainlyValid(instance, whitelist)) return instance;
  const wrong = wrongFields(instance, whitelist, excused);
  if (wrong.length > 0) throw new MessageError('invalid-data', `${type}: ${wrong.join('; ')}`);
  return instance;
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
