import { getMetadataStorage } from 'class-validator';
import type { MetadataStorage, ValidationArguments, ValidatorConstraintInterface } from 'class-validator';

/** What one decorator of class-validator wrote down. */
export type Rule = ReturnType<MetadataStorage['getTargetValidationMetadatas']>[number];

/** False means: not certainly in order. */
export type Check = (object: object, value: unknown) => boolean;

/**
 * The checks of a decorator such as `@IsString()`: what class-validator's executor does for it when all is well.
 *
 * @param targetName name of the class whose instances are checked
 * @returns undefined when only class-validator can do it
 */
export function constraintChecks(rule: Rule, targetName: string): readonly Check[] | undefined {
  const constraints = getMetadataStorage().getTargetValidatorConstraints(rule.constraintCls);
  if (constraints.some((constraint) => constraint.async)) return undefined;
  return constraints.map((constraint) => conditional(rule, check(rule, targetName, validation(constraint))));
}

type Constraint = ReturnType<MetadataStorage['getTargetValidatorConstraints']>[number];
type Validation = ValidatorConstraintInterface['validate'];

/** The class that class-validator makes for each decorator that brings a function, all its own decorators among them. */
const OF_A_FUNCTION = 'CustomConstraint';

function validation(constraint: Constraint): Validation {
  // A class of the user's may come from a container, which may be set or changed at any time.
  if (constraint.target.name !== OF_A_FUNCTION) return (value, args) => constraint.instance.validate(value, args);
  const { instance } = constraint;
  return instance.validate.bind(instance);
}

function check(rule: Rule, targetName: string, validate: Validation): Check {
  const { propertyName: property, constraints } = rule;
  const argumentsFor = (object: object, value: unknown): ValidationArguments => {
    return { targetName, property, object, value, constraints };
  };
  const single: Check = (object, value) => certain(validate(value, argumentsFor(object, value)));
  if (!rule.each) return single;
  return (object, value) => {
    if (!Array.isArray(value)) return !(value instanceof Set || value instanceof Map) && single(object, value);
    const args = argumentsFor(object, value);
    for (let i = 0; i < value.length; i++) if (!certain(validate(value[i], args))) return false;
    return true;
  };
}

/** Validators may answer with anything, promises included. */
function certain(verdict: unknown): boolean {
  return verdict === true || (!!verdict && typeof verdict !== 'object');
}

function conditional({ validateIf }: Rule, whenAsked: Check): Check {
  return validateIf ? (object, value) => !validateIf(object, value) || whenAsked(object, value) : whenAsked;
}
