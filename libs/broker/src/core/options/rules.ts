import type { Transform } from '@millrace/transforms';
import { must } from './check-options.js';
import type { Rule } from './check-options.js';

export { each } from './check-options.js';

/** Node fires a timer of a longer time at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Messages, entries, bytes; ms that no timer of this process waits for. */
export const count = integer(1);
/** As {@link count}, or none. */
export const countOrNone = integer(0);
/** Ms that a timer of this process waits for. */
export const duration = integer(1, LONGEST_TIMER_MS);
/** As {@link duration}, or not at all. */
export const durationOrNone = integer(0, LONGEST_TIMER_MS);
/** How often; Infinity: without end. */
export const times = must(
  'an integer of at least 1, or Infinity',
  (value) => value === Infinity || isInteger(value, 1),
);
/** A bound that may be absent. */
export const limit = must(
  'an integer of at least 0, or Infinity',
  (value) => value === Infinity || isInteger(value, 0),
);
export const yesOrNo = oneOf(true, false);
export const text = must('a text that is not empty', (value) => typeof value === 'string' && value !== '');
export const list = must('a list', Array.isArray);
export const func = must('a function', (value) => typeof value === 'function');
/** What somebody else makes, such as a store or a clock. */
export const thing = must('an object', (value) => typeof value === 'object' && value !== null);
/** What somebody else makes, known by a method that it has. */
export function having(method: string, what: string): Rule {
  return must(what, (value) => typeof (Object(value) as Record<string, unknown>)[method] === 'function');
}

export const store = having('commit', 'a PartitionStore, such as new InMemoryPartitionStore()');
export const classes = must(
  'a list of classes (undefined among them: two files import each other)',
  (value) => Array.isArray(value) && value.every((each) => typeof each === 'function'),
);
/** Classes, or what is made in place of them. */
export const definitions = must(
  'a list without gaps (undefined: two files import each other)',
  (value) => Array.isArray(value) && !value.includes(undefined) && !value.includes(null),
);
export const transforms = must(
  'a list of transforms, such as upcast(...) or filter(...)',
  (value) => Array.isArray(value) && value.every(isTransform),
);
/** Checked by those who use it. */
export const anything: Rule = () => undefined;
/** Has a password in it, so that it is not shown. */
export const redisUrl: Rule = (value, name) =>
  typeof value === 'string' && value !== '' && !/^(?!rediss?:)[a-z0-9+.-]*:\/\//i.test(value)
    ? undefined
    : `${name} that is no address of a Redis; it must be redis://[user:password@]host:port, or rediss:// for TLS`;

export function integer(least: number, most = Infinity): Rule {
  const allowed = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  return must(`an integer ${allowed}`, (value) => isInteger(value, least) && (value as number) <= most);
}

export function number(least: number, most = Infinity): Rule {
  const allowed = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  return must(
    `a number ${allowed}`,
    (value) => typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most,
  );
}

export function oneOf(...values: readonly (string | boolean)[]): Rule {
  const allowed = values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))).join(', ');
  return must(`one of ${allowed}`, (value) => (values as readonly unknown[]).includes(value));
}

/** One value that means something by itself, or what a rule allows. */
export function valueOr(value: unknown, rule: Rule): Rule {
  return (given, name) => (given === value ? undefined : rule(given, name));
}

function isTransform(value: unknown): boolean {
  const { shape, from, to } = Object(value) as Partial<Transform>;
  return shape !== undefined && Array.isArray(from) && Array.isArray(to);
}

function isInteger(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}
