import { MessageError } from '../message-error.js';
import type { PersonalPlan } from './personal-plan.js';

/** A personal value, where it stands and whose it is. */
export interface PersonalValue {
  readonly path: readonly string[];
  readonly subject: string;
  readonly value: unknown;
}

/**
 * The personal values in parsed JSON. What is absent or null needs no protection.
 *
 * @param what has them, for the error
 * @throws MessageError `no-data-subject` when nothing says whose a value is
 */
export function* personalValues(
  data: unknown,
  plan: PersonalPlan,
  what: string,
  path: readonly string[] = [],
  of?: string,
): Generator<PersonalValue> {
  if (typeof data !== 'object' || data === null) return;
  if (Array.isArray(data)) {
    for (const [index, item] of data.entries()) yield* personalValues(item, plan, what, [...path, String(index)], of);
    return;
  }
  const object = data as Readonly<Record<string, unknown>>;
  const subject = plan.subject === undefined ? of : subjectFrom(object[plan.subject]);
  for (const name of plan.fields.keys()) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (value === undefined || value === null) continue;
    const here = [...path, name];
    if (subject === undefined) throw noSubject(what, here, plan.subject);
    yield { path: here, subject, value };
  }
  for (const [name, nested] of plan.nested) {
    if (!plan.fields.has(name)) yield* personalValues(object[name], nested, what, [...path, name], subject);
  }
}

/** JSON Pointers as they stand in URI fragments (RFC 6901), separated by spaces. */
export function pointersOf(paths: readonly (readonly string[])[]): string {
  const escape = (name: string): string => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
  return paths.map((path) => path.map((name) => `/${escape(name)}`).join('')).join(' ');
}

/** @throws MessageError `malformed` */
export function pathsIn(pointers: string): string[][] {
  const unescape = (name: string): string => decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~');
  try {
    return pointers.split(' ').map((pointer) => {
      if (!pointer.startsWith('/')) throw new Error(`'${pointer}' does not begin with a slash`);
      return pointer.slice(1).split('/').map(unescape);
    });
  } catch (cause) {
    throw new MessageError('malformed', `personaldata holds no JSON Pointers: ${(cause as Error).message}`, { cause });
  }
}

/** The value at a path of parsed JSON; undefined when there is none. */
export function valueAt(data: unknown, path: readonly string[]): unknown {
  let value = data;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** Puts a value where there is one. */
export function replaceAt(data: object, path: readonly string[], value: unknown): void {
  const holder = valueAt(data, path.slice(0, -1));
  (holder as Record<string, unknown>)[path.at(-1)!] = value;
}

function subjectFrom(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function noSubject(what: string, path: readonly string[], property: string | undefined): MessageError {
  const where = path.join('.');
  return new MessageError(
    'no-data-subject',
    property === undefined
      ? `${what}: ${where} is personal data, and nothing says whose: mark the property with the person's id with @DataSubject()`
      : `${what}: ${where} is personal data, but ${property}, which says whose, is empty`,
  );
}
