import { getMetadataStorage } from 'class-validator';

/**
 * What class-validator lets pass at a property with `@ValidateNested()`: no value at all, unless the property is
 * `@IsOptional()`, and one object where `each` wants an array.
 *
 * @returns one sentence per wrong property, with its path
 */
export function missingNested(instance: object, path = ''): string[] {
  return nestedProperties(instance.constructor).flatMap(({ name, each, optional }) => {
    const here = path ? `${path}.${name}` : name;
    const value = (instance as Record<string, unknown>)[name];
    if (value === undefined) return optional ? [] : [`${here} is missing`];
    // What is no object at all, class-validator has found.
    if (typeof value !== 'object' || value === null) return [];
    if (!each) return missingNested(value, here);
    return Array.isArray(value)
      ? value.flatMap((item: unknown, i) =>
          typeof item === 'object' && item ? missingNested(item, `${here}.${i}`) : [],
        )
      : [`${here} must be an array`];
  });
}

interface NestedProperty {
  readonly name: string;
  readonly each: boolean;
  readonly optional: boolean;
}

const known = new WeakMap<object, readonly NestedProperty[]>();

/** Asked once per class: most messages have no nested properties. */
function nestedProperties(type: unknown): readonly NestedProperty[] {
  if (typeof type !== 'function') return [];
  let properties = known.get(type);
  if (!properties) {
    const all = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
    const optional = new Set(
      all.filter((rule) => rule.type === 'conditionalValidation').map((rule) => rule.propertyName),
    );
    properties = all
      .filter((rule) => rule.type === 'nestedValidation')
      .map(({ propertyName: name, each }) => ({ name, each: each ?? false, optional: optional.has(name) }));
    known.set(type, properties);
  }
  return properties;
}
