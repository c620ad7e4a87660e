import 'reflect-metadata';
import { MessageError } from '../message-error.js';

export interface PersonalDataOptions {
  /** What the property reads as once the key of its subject has been deleted; JSON. Default null. */
  readonly placeholder?: unknown;
}

/** What is declared on the properties of one class itself. */
export interface DeclaredPersonalData {
  readonly fields: Map<string, PersonalDataOptions>;
  subject: string | undefined;
}

const DECLARED = Symbol.for('millrace:personal-data');
let declarations = 0;

/**
 * Marks a property whose value says something about a person. It is encrypted with a key of that person wherever it is
 * kept, and cannot be read any more once the key has been deleted (crypto-shredding): it is null then, or the placeholder,
 * whatever its type says, so that messages can still be handled and events replayed.
 *
 * On properties of messages, of classes nested in them (with class-transformer's `@Type`), of rows of views. The person is
 * named by {@link DataSubject}.
 */
export function PersonalData(options: PersonalDataOptions = {}): PropertyDecorator {
  return (target, property) => {
    declared(target).fields.set(nameOf(property, 'PersonalData'), options);
    declarations++;
  };
}

/**
 * Marks the property that names the person whose data the object holds: an id that is no personal data itself, for it is
 * not encrypted. Default: the property which the contract names as its key.
 *
 * @throws MessageError `invalid-type` when the class has one already
 */
export function DataSubject(): PropertyDecorator {
  return (target, property) => {
    const own = declared(target);
    const name = nameOf(property, 'DataSubject');
    if (own.subject !== undefined) {
      throw new MessageError(
        'invalid-type',
        `${target.constructor.name} has @DataSubject() on ${own.subject} and on ${name}: an object is about one person, ` +
          `nest objects for others`,
      );
    }
    own.subject = name;
  };
}

/** Whether any class of this process declares personal data. */
export function anyPersonalData(): boolean {
  return declarations > 0;
}

/** What a prototype itself declares, without its parents. */
export function declaredOn(prototype: object): DeclaredPersonalData | undefined {
  return Reflect.getOwnMetadata(DECLARED, prototype) as DeclaredPersonalData | undefined;
}

function declared(prototype: object): DeclaredPersonalData {
  let own = declaredOn(prototype);
  if (!own) Reflect.defineMetadata(DECLARED, (own = { fields: new Map(), subject: undefined }), prototype);
  return own;
}

function nameOf(property: string | symbol, decorator: string): string {
  if (typeof property === 'string') return property;
  throw new MessageError('invalid-type', `@${decorator}() is on ${String(property)}, which JSON does not hold`);
}
