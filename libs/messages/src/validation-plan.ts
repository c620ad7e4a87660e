import { getMetadataStorage } from 'class-validator';
import { constraintChecks } from './constraint-check.js';
import type { Check, Rule } from './constraint-check.js';

/** What class-validator has to find in the instances of one class, looked up once. */
export interface Plan {
  /** Every property with a decorator. */
  readonly declared: ReadonlySet<string>;
  readonly properties: readonly Property[];
}

export interface Property {
  readonly name: string;
  /** `@IsOptional()`, `@ValidateIf()`: the property is looked at only when all of them hold. */
  readonly conditions: readonly Check[];
  readonly checks: readonly Check[];
  readonly nested: 'no' | 'object' | 'array';
}

/**
 * The plan of a class. Decorators that are applied after the first message of a class come too late.
 *
 * @returns undefined when something in it is only for class-validator to judge
 */
export function planOf(type: unknown): Plan | undefined {
  if (typeof type !== 'function') return undefined;
  let plan = plans.get(type);
  if (plan === undefined) plans.set(type, (plan = compile(type) ?? 'unknown'));
  return plan === 'unknown' ? undefined : plan;
}

const plans = new WeakMap<object, Plan | 'unknown'>();

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- class-validator takes any constructor
function compile(type: Function): Plan | undefined {
  try {
    const rules = new Map<string, Rule[]>();
    for (const rule of getMetadataStorage().getTargetValidationMetadatas(type, '', false, false)) {
      const name: unknown = rule.propertyName;
      // class-validator stumbles over such names.
      if (typeof name !== 'string' || name in Object.prototype) return undefined;
      rules.set(name, [...(rules.get(name) ?? []), rule]);
    }
    const properties = [...rules].map(([name, ofOne]) => property(name, ofOne, type.name));
    return properties.every((each) => each !== undefined) ? { declared: new Set(rules.keys()), properties } : undefined;
  } catch {
    return undefined;
  }
}

function property(name: string, rules: readonly Rule[], targetName: string): Property | undefined {
  const conditions: Check[] = [];
  const checks: Check[] = [];
  for (const rule of rules) {
    if (rule.type === 'customValidation' || rule.type === 'isDefined') {
      const found = constraintChecks(rule, targetName);
      if (!found) return undefined;
      checks.push(...found);
    } else if (rule.type === 'conditionalValidation') {
      conditions.push(rule.constraints[0] as Check);
    } else if (rule.type !== 'nestedValidation' && rule.type !== 'whitelistValidation') return undefined;
  }
  return { name, conditions, checks, nested: nestedIn(rules) };
}

function nestedIn(rules: readonly Rule[]): Property['nested'] {
  const nested = rules.filter((rule) => rule.type === 'nestedValidation');
  if (nested.length === 0) return 'no';
  return nested.some((rule) => rule.each) ? 'array' : 'object';
}
