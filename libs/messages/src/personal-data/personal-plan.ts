import type { TypeMetadata } from 'class-transformer';
import storage from 'class-transformer/cjs/storage.js';
import { classesOf, findContract } from '../contract.js';
import type { MessageClass } from '../contract.js';
import { anyPersonalData, declaredOn } from './personal-data.js';
import type { PersonalDataOptions } from './personal-data.js';

/** Where the instances of a class hold personal data. */
export interface PersonalPlan {
  /** The property that names the person. */
  readonly subject: string | undefined;
  readonly fields: ReadonlyMap<string, PersonalDataOptions>;
  /** Properties with objects, or arrays of objects, in which there are some. */
  readonly nested: ReadonlyMap<string, PersonalPlan>;
}

/** Where a class holds personal data; undefined: nowhere. Found out once per class. */
export function personalPlanOf(type: unknown): PersonalPlan | undefined {
  if (!anyPersonalData() || typeof type !== 'function') return undefined;
  let plan = plans.get(type);
  if (plan === undefined) plans.set(type, (plan = prune(compile(type as MessageClass, new Map())) ?? 'none'));
  return plan === 'none' ? undefined : plan;
}

/** Where messages of a type hold personal data, by all classes of this process that have the type. */
export function personalPlansOf(type: string): readonly PersonalPlan[] {
  if (!anyPersonalData()) return [];
  return classesOf(type).flatMap((contract) => personalPlanOf(contract) ?? []);
}

/**
 * What stands in for a value that cannot be read any more.
 *
 * @param path of the value: names of properties, and indexes of arrays
 */
export function placeholderFor(type: string, path: readonly string[]): unknown {
  return placeholderIn(personalPlansOf(type), path);
}

/** As {@link placeholderFor}, by what classes declare. */
export function placeholderIn(plans: readonly PersonalPlan[], path: readonly string[]): unknown {
  for (const plan of plans) {
    const options = fieldAt(plan, path);
    if (options) return options.placeholder ?? null;
  }
  return null;
}

/** Whether the value at a path of an instance is personal data. */
export function isPersonal(type: unknown, path: readonly string[]): boolean {
  const plan = personalPlanOf(type);
  return plan !== undefined && fieldAt(plan, path) !== undefined;
}

const plans = new WeakMap<object, PersonalPlan | 'none'>();

interface Draft {
  subject: string | undefined;
  readonly fields: Map<string, PersonalDataOptions>;
  readonly nested: Map<string, Draft>;
}

/** Classes may refer to each other in a circle, so a plan is known before it is complete. */
function compile(type: MessageClass, known: Map<object, Draft>): Draft {
  const begun = known.get(type);
  if (begun) return begun;
  const key = findContract(type)?.key;
  const draft: Draft = { subject: undefined, fields: new Map(), nested: new Map() };
  known.set(type, draft);
  for (const prototype of prototypesOf(type)) {
    const own = declaredOn(prototype);
    draft.subject = own?.subject ?? draft.subject;
    for (const [name, options] of own?.fields ?? []) draft.fields.set(name, options);
    for (const [name, nested] of typedProperties(prototype.constructor)) draft.nested.set(name, compile(nested, known));
  }
  draft.subject ??= key;
  return draft;
}

/** Leaves what holds something personal. */
function prune(draft: Draft): PersonalPlan | undefined {
  const drafts = new Set<Draft>([draft]);
  for (const each of drafts) for (const nested of each.nested.values()) drafts.add(nested);
  const personal = new Set([...drafts].filter(({ fields }) => fields.size > 0));
  for (let size = -1; size < personal.size;) {
    size = personal.size;
    for (const each of drafts) if ([...each.nested.values()].some((nested) => personal.has(nested))) personal.add(each);
  }
  for (const { nested } of drafts) {
    for (const [name, inner] of nested) if (!personal.has(inner)) nested.delete(name);
  }
  return personal.has(draft) ? draft : undefined;
}

/** From the first ancestor to the class, so that the class has the last word. */
function prototypesOf(type: MessageClass): object[] {
  const prototypes: object[] = [];
  let prototype = type.prototype as object | null;
  for (; prototype && prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype) as object | null) {
    prototypes.unshift(prototype);
  }
  return prototypes;
}

/** class-transformer tells of one property at a time only, and which there are is what is asked here. */
const { _typeMetadatas: types } = storage.defaultMetadataStorage as unknown as {
  readonly _typeMetadatas: ReadonlyMap<unknown, ReadonlyMap<string, TypeMetadata>>;
};

function* typedProperties(type: unknown): Generator<[string, MessageClass]> {
  for (const [name, { typeFunction }] of types.get(type) ?? []) {
    const nested: unknown = (typeFunction as (() => unknown) | undefined)?.();
    if (typeof nested === 'function') yield [name, nested as MessageClass];
  }
}

function fieldAt(plan: PersonalPlan, path: readonly string[]): PersonalDataOptions | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return undefined;
  const own = plan.fields.get(name);
  if (own) return own;
  const nested = plan.nested.get(name);
  if (!nested) return undefined;
  return fieldAt(nested, rest) ?? (/^\d+$/.test(rest[0] ?? '') ? fieldAt(nested, rest.slice(1)) : undefined);
}
