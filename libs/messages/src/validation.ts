import { validateSync } from 'class-validator';
import type { ValidationError } from 'class-validator';
import { contractOf } from './contract.js';
import type { MessageClass } from './contract.js';
import { MessageError } from './message-error.js';
import { missingNested } from './nested.js';
import { revive } from './revive.js';

/**
 * Turns received data into an instance of its contract class and checks it with class-validator. Properties that the
 * class does not declare are dropped (a newer sender may know more).
 *
 * @param validate false: only makes the instance
 * @throws MessageError `invalid-data` that names every wrong field and the reason
 */
export function toInstance<T extends object>(contract: MessageClass<T>, data: unknown, validate = true): T {
  const { type } = contractOf(contract);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new MessageError('invalid-data', `${type}: data is ${describe(data)}, expected an object`);
  }
  let instance: T;
  try {
    instance = revive(contract, data);
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
  return validated(message, contractOf(message).type, false);
}

function validated<T extends object>(instance: T, type: string, whitelist: boolean): T {
  const errors = validateSync(instance, { whitelist, forbidUnknownValues: false, stopAtFirstError: true });
  const sentences = [...explain(errors), ...missingNested(instance)];
  if (sentences.length > 0) throw new MessageError('invalid-data', `${type}: ${[...new Set(sentences)].join('; ')}`);
  return instance;
}

/** One sentence per wrong field, with its path: `lines.0.quantity must not be less than 1`. */
function explain(errors: readonly ValidationError[], path = ''): string[] {
  return errors.flatMap((error) => {
    const here = path ? `${path}.${error.property}` : error.property;
    const own = Object.values(error.constraints ?? {}).map((text) => sentence(here, error.property, text));
    return [...own, ...explain(error.children ?? [], here)];
  });
}

function sentence(path: string, property: string, text: string): string {
  return text.includes(property) ? text.replace(property, path) : `${path}: ${text}`;
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
