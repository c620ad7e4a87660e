import { plainToInstance } from 'class-transformer';
import type { ClassConstructor } from 'class-transformer';
import storage from 'class-transformer/cjs/storage.js';
import type { MessageClass } from './contract.js';

/**
 * Makes an instance of a class from parsed JSON, nested classes (`@Type`) included. Does what class-transformer's
 * `plainToInstance` does, several times as fast for classes that use nothing of it but `@Type`; for others it calls it.
 *
 * Untyped nested values are taken over, not copied.
 *
 * @param wanted other properties of the first level may be left out, as they will be removed anyway. Default: all
 */
export function revive<T extends object>(contract: MessageClass<T>, data: object, wanted?: ReadonlySet<string>): T {
  let plan = plans.get(contract);
  if (!plan) plans.set(contract, (plan = planFor(contract)));
  if (!plan.simple) return plainToInstance(contract as ClassConstructor<T>, data);
  return build(plan, data as Fields, wanted) as T;
}

type Fields = Record<string, unknown>;

/** What becomes of a property: an instance of a class, the value as it is, or nothing. */
type Take = MessageClass | 'as-is' | 'nothing';

/** How instances of one class are made; filled with what its properties need as they are first seen. */
interface Plan {
  readonly type: MessageClass;
  readonly properties: Map<string, Take>;
  /** False once something was found that only class-transformer can do. */
  simple: boolean;
  create(): object;
}

const plans = new WeakMap<MessageClass, Plan>();
const PLAIN_TO_CLASS = 0;
const { defaultMetadataStorage } = storage;

function planFor(type: MessageClass): Plan {
  const simple =
    defaultMetadataStorage.getExposedMetadatas(type).length === 0 &&
    defaultMetadataStorage.getExcludedMetadatas(type).length === 0;
  return { type, properties: new Map(), simple, create: creator(type) };
}

/** A constructor that needs arguments cannot be called without; then only the prototype is given. */
function creator(type: MessageClass): () => object {
  const constructor = type as ClassConstructor<object>;
  try {
    new constructor();
    return () => new constructor();
  } catch {
    return () => Object.create(constructor.prototype as object) as object;
  }
}

/** Senders choose the names of properties, so only so many are remembered. */
const MAX_PROPERTIES = 256;

function build(plan: Plan, data: Fields, wanted?: ReadonlySet<string>): object {
  const instance = plan.create() as Fields;
  for (const key of Object.keys(data)) {
    let take = plan.properties.get(key);
    if (take === undefined) {
      take = howToTake(plan, key);
      if (plan.properties.size < MAX_PROPERTIES) plan.properties.set(key, take);
      if (!plan.simple) return plainToInstance(plan.type as ClassConstructor<object>, data);
    }
    if (take === 'nothing') continue;
    // Left out now rather than deleted later: V8 makes an object slow that loses a property.
    if (take === 'as-is' && wanted && !wanted.has(key) && !(key in instance)) continue;
    const value = data[key];
    instance[key] = take !== 'as-is' && typeof value === 'object' && value !== null ? reviveNested(take, value) : value;
  }
  return instance;
}

/** Data never replace what the class itself defines: `constructor`, a method, a getter. */
function howToTake(plan: Plan, key: string): Take {
  if (key in (plan.type.prototype as object) && (key === '__proto__' || !hasSetter(plan.type, key))) return 'nothing';
  return nestedType(plan, key) ?? 'as-is';
}

function hasSetter(type: MessageClass, key: string): boolean {
  let owner: unknown = type.prototype;
  while (owner && !Object.hasOwn(owner, key)) owner = Object.getPrototypeOf(owner);
  return Object.getOwnPropertyDescriptor(owner, key)?.set !== undefined;
}

function reviveNested(type: MessageClass, value: object): unknown {
  if (!Array.isArray(value)) return revive(type, value);
  return value.map((item: unknown) =>
    typeof item === 'object' && item !== null ? reviveNested(type, item as object) : item,
  );
}

const BUILT_IN: ReadonlySet<unknown> = new Set([Date, String, Number, Boolean, Map, Set, Array, Buffer, Object]);

function nestedType(plan: Plan, key: string): MessageClass | undefined {
  if (defaultMetadataStorage.findTransformMetadatas(plan.type, key, PLAIN_TO_CLASS).length > 0) plan.simple = false;
  const metadata = defaultMetadataStorage.findTypeMetadata(plan.type, key);
  if (!metadata) return undefined;
  const type: unknown = metadata.typeFunction();
  const special = BUILT_IN.has(type) || metadata.options?.discriminator || BUILT_IN_MAPS.has(metadata.reflectedType);
  if (special) plan.simple = false;
  return type as MessageClass;
}

const BUILT_IN_MAPS: ReadonlySet<unknown> = new Set([Map, Set]);
