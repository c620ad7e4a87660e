import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { TransformDeclarationError } from './transform-error.js';
import type { MapTransform, Transform } from './transform.js';

/**
 * Stored events of a type that has another name today. The schema version stays, so declare it before the upcasts of the
 * contract.
 *
 * @example
 * stored: [renamed('order.created', OrderPlaced), upcast(OrderPlaced, { from: 1, to: 2 }, ...)]
 * @throws TransformDeclarationError when the contract has this type
 */
export function renamed(type: string, contract: MessageClass): MapTransform {
  const { type: today } = contractOf(contract);
  const name = `renamed ${type} -> ${today}`;
  if (type === today)
    throw new TransformDeclarationError(`'${name}' is a cycle: write the type as it was stored before`);
  return {
    kind: 'rename',
    shape: 'map',
    name,
    from: [type],
    to: [today],
    contracts: [contract],
    apply: (message) => ({ ...message, type: today }),
  };
}

/**
 * Stored events of a type that means nothing any more: aggregates pass them, and count them. Without this, an event that an
 * aggregate does not know is an error.
 *
 * @example
 * stored: [retired('order.flagged')]
 */
export function retired(type: string): MapTransform {
  return {
    kind: 'retire',
    shape: 'map',
    name: `retired ${type}`,
    from: [type],
    to: [type],
    apply: (message) => message,
  };
}

/** The types that were retired. */
export function retiredTypes(transforms: readonly Transform[]): ReadonlySet<string> {
  return new Set(transforms.filter(({ kind }) => kind === 'retire').flatMap(({ from }) => from));
}

/** What is wrong with renamed and retired types, as sentences that say what to do. Empty: nothing. */
export function historyProblems(transforms: readonly Transform[]): string[] {
  const gone = retiredTypes(transforms);
  return transforms.flatMap((transform, at) => {
    const { kind, name, from, to } = transform;
    const type = from[0]!;
    if (kind === 'retire') {
      const other = transforms.find(
        (each) => each.kind !== 'retire' && (each.from.includes(type) || each.to.includes(type)),
      );
      return other ? [`'${name}', but '${other.name}' takes or gives it: keep one`] : [];
    }
    if (kind !== 'rename') return [];
    const before = transforms.slice(0, at);
    const twin = before.find((each) => each.kind === 'rename' && each.from.includes(type));
    const early = before.find((each) => each.from.includes(to[0]!));
    return [
      ...(twin ? [`'${twin.name}' and '${name}' take one type: keep one`] : []),
      ...(early ? [`'${name}' gives what '${early.name}' takes: declare it before that`] : []),
      ...(gone.has(to[0]!) ? [`'${name}' gives a type that is retired`] : []),
    ];
  });
}
