import { contractOf } from '@millrace/messages';
import type { MessageKind } from '@millrace/messages';
import { ANY_TYPE } from './transform.js';
import type { TransformDescription } from './transform.js';

/** The types of messages that become messages of a type on their way through transforms, that type among them. */
export function entryTypes(transforms: readonly TransformDescription[], type: string): string[] {
  const types = new Set([type]);
  for (const { from, to } of [...transforms].reverse()) {
    if (to.some((each) => types.has(each))) for (const each of from) if (each !== ANY_TYPE) types.add(each);
  }
  return [...types];
}

/** The types that a message of a type can have behind transforms. */
export function exitTypes(transforms: readonly TransformDescription[], type: string): string[] {
  let types = new Set([type]);
  for (const { from, to, version } of transforms) {
    const next = new Set<string>();
    for (const each of types) {
      if (!from.includes(each) || to.includes(ANY_TYPE)) next.add(each);
      else {
        for (const given of to) next.add(given);
        if (version !== undefined) next.add(each);
      }
    }
    types = next;
  }
  return [...types];
}

/** What a type is, as far as the contracts of transforms say. */
export function kindIn(transforms: readonly TransformDescription[], type: string): MessageKind | undefined {
  for (const { contracts = [] } of transforms) {
    for (const contract of contracts) {
      const { type: declared, kind } = contractOf(contract);
      if (declared === type) return kind;
    }
  }
  return undefined;
}
