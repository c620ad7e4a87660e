import { inspect } from 'node:util';
import { ConfigurationError } from '../errors.js';

/** Says what is wrong with a value, as `name: value; it must be ...`; undefined: nothing. */
export type Rule = (value: unknown, name: string) => string | undefined;

/** A rule for each option there is, so that an option without one does not compile. */
export type Rules<Options extends object> = { readonly [Name in keyof Required<Options>]: Rule };

/**
 * Holds options against their rules. An option that is undefined counts as left out.
 *
 * @param where what has the options, for the error: `group 'mailer'`
 * @param required options that have no default
 * @throws ConfigurationError for a value that cannot work, and for a name that is no option
 */
export function checkOptions(
  where: string,
  options: unknown,
  rules: Readonly<Record<string, Rule>>,
  required: readonly string[] = [],
): void {
  checkIsObject(where, options, rules);
  const given = options as Readonly<Record<string, unknown>>;
  const missing = required.find((name) => given[name] === undefined);
  const problem = missing === undefined ? problemIn(options, rules, '') : rules[missing]!(undefined, missing);
  if (problem !== undefined) throw new ConfigurationError(`${where} has ${problem}`);
}

/** @throws ConfigurationError for what is no object */
export function checkIsObject(
  where: string,
  options: unknown,
  rules: Readonly<Record<string, Rule>>,
): asserts options is object {
  if (isRecord(options)) return;
  throw new ConfigurationError(
    `${where} has ${show(options)} for options: write an object with ${Object.keys(rules).join(', ')}`,
  );
}

/** As {@link checkOptions}, for options that stand among others: names without a rule are left to whoever knows them. */
export function checkOptionsAmong(where: string, options: object, rules: Readonly<Record<string, Rule>>): void {
  const known = Object.entries(options).filter(([name]) => Object.hasOwn(rules, name));
  checkOptions(where, Object.fromEntries(known), rules);
}

/** Options within an option. */
export function fields<Options extends object>(rules: Rules<Options>): Rule {
  return (value, name) => {
    if (!isRecord(value)) return wrong(name, value, `{ ${Object.keys(rules).join(', ')} }`);
    return problemIn(value, rules, `${name}.`);
  };
}

/** As {@link fields}, where none may be left out. */
export function all<Options extends object>(rules: Rules<Options>, allowed: string): Rule {
  return (value, name) => {
    const given = isRecord(value) ? (value as Readonly<Record<string, unknown>>) : {};
    const complete = Object.keys(rules).every((key) => given[key] !== undefined);
    return complete && problemIn(given, rules, '') === undefined ? undefined : wrong(name, value, allowed);
  };
}

/** Options by any name. */
export function each(rule: Rule): Rule {
  return (value, name) => {
    if (!isRecord(value)) return wrong(name, value, 'an object');
    return first(Object.entries(value).map(([key, inner]) => rule(inner, `${name}.${key}`)));
  };
}

/** @param allowed completes the sentence `it must be ...` */
export function must(allowed: string, holds: (value: unknown) => boolean): Rule {
  return (value, name) => (holds(value) ? undefined : wrong(name, value, allowed));
}

function problemIn(options: object, rules: Readonly<Record<string, Rule>>, path: string): string | undefined {
  return first(
    Object.entries(options).map(([name, value]) => {
      if (value === undefined) return undefined;
      if (Object.hasOwn(rules, name)) return rules[name]!(value, `${path}${name}`);
      return `${path}${name}, which is no option: write one of ${Object.keys(rules).join(', ')}`;
    }),
  );
}

function first(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}

function wrong(name: string, value: unknown, allowed: string): string {
  return `${name}: ${show(value)}; it must be ${allowed}`;
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Without the password of an address. */
function show(value: unknown): string {
  const shown = inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 200, maxArrayLength: 10 });
  return shown.replace(/:\/\/[^\s'"]*@/g, '://***@');
}
