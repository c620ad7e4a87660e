import type { MessageClass } from '@millrace/messages';
import { plainToInstance } from 'class-transformer';
import type { ClassConstructor } from 'class-transformer';
// @ts-expect-error -- has no types; there is no public way to ask whether a class has transformations
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';

const DECLARATIONS = ['_typeMetadatas', '_transformMetadatas', '_exposeMetadatas', '_excludeMetadatas'] as const;
const storage = defaultMetadataStorage as Record<(typeof DECLARATIONS)[number], Map<unknown, unknown> | undefined>;

const simple = new WeakMap<MessageClass, boolean>();

/**
 * Makes stored data an instance of its class again. They were validated when they were written, so they are not
 * checked; class-transformer, five times slower than copying, runs only for classes that use its decorators.
 */
export function revive<T extends object>(contract: MessageClass<T>, data: unknown): T {
  const type = contract as unknown as ClassConstructor<T>;
  let plain = simple.get(contract);
  if (plain === undefined) simple.set(contract, (plain = !isTransformed(type)));
  return plain ? Object.assign(new type(), data) : plainToInstance(type, data);
}

function isTransformed(type: unknown): boolean {
  for (let t = type; typeof t === 'function' && t !== Function.prototype; t = Object.getPrototypeOf(t)) {
    if (DECLARATIONS.some((name) => storage[name]?.has(t) ?? true)) return true;
  }
  return false;
}
