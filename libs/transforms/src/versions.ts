import { contractOf } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { checkFunctions } from './check-functions.js';
import { TransformDeclarationError } from './transform-error.js';
import type { MapTransform } from './transform.js';

/** One step between two schema versions of one contract. */
export interface VersionStep {
  readonly from: number;
  readonly to: number;
  /** Nothing older than `from` is stored anywhere (any more), so the chain may begin here. Default: it begins at 1. */
  readonly oldest?: boolean;
}

/** An upcast or a downcast, with what the check of its chain needs. */
export interface VersionTransform extends MapTransform {
  readonly kind: 'upcast' | 'downcast';
  readonly version: number;
  readonly toVersion: number;
  readonly contract: MessageClass;
  readonly oldest: boolean;
}

/**
 * Upcaster: data of an old schema version into those of a newer one. Upcasts of a contract are a chain that leads from
 * version 1 to the contract's own; a service with a gap in it does not start.
 *
 * @example
 * upcast(OrderPlaced, { from: 1, to: 2 }, (v1: OrderPlacedV1) => ({ ...v1, currency: 'EUR' }))
 * @throws TransformDeclarationError when `to` is not later than `from`
 */
export function upcast<A = Record<string, unknown>>(
  contract: MessageClass,
  step: VersionStep,
  map: (old: A) => object,
): VersionTransform {
  if (step.to <= step.from) wrongWay('upcast', contract, step, 'later');
  return versionTransform('upcast', contract, step, map as (data: unknown) => object);
}

/**
 * The opposite at the publishing side: what is published in an older version while consumers know no newer one.
 *
 * A message goes out in one version, so this serves a publisher that is ahead of its consumers: it has the new class, and
 * writes the old shape until the last of them has the new class and the upcast. What it reads back from its own feed has
 * the old version too, so the upcast of the same step belongs to its `stored`.
 *
 * @example
 * downcast(OrderPlaced, { from: 3, to: 2 }, ({ total, ...rest }: OrderPlaced) => ({ ...rest, cents: total.amount }))
 * @throws TransformDeclarationError when `to` is not earlier than `from`
 */
export function downcast<A extends object>(
  contract: MessageClass<A>,
  step: Omit<VersionStep, 'oldest'>,
  map: (data: A) => object,
): VersionTransform;
export function downcast<A>(
  contract: MessageClass,
  step: Omit<VersionStep, 'oldest'>,
  map: (data: A) => object,
): VersionTransform;
export function downcast(
  contract: MessageClass,
  step: Omit<VersionStep, 'oldest'>,
  map: (data: never) => object,
): VersionTransform {
  if (step.to >= step.from) wrongWay('downcast', contract, step, 'earlier');
  return versionTransform('downcast', contract, step, map as (data: unknown) => object);
}

function versionTransform(
  kind: 'upcast' | 'downcast',
  contract: MessageClass,
  { from, to, oldest = false }: VersionStep,
  map: (data: unknown) => object,
): VersionTransform {
  const { type } = contractOf(contract);
  for (const version of [from, to]) {
    if (!Number.isInteger(version) || version < 1) {
      throw new TransformDeclarationError(`${kind} of ${type} names version ${version}: versions are integers from 1`);
    }
  }
  const name = `${kind} ${type} ${from} -> ${to}`;
  checkFunctions(name, { map });
  return {
    kind,
    shape: 'map',
    name,
    from: [type],
    to: [type],
    version: from,
    toVersion: to,
    contracts: [contract],
    contract,
    oldest,
    apply: (message) => versioned(message, to, map(message.data)),
  };
}

function versioned(message: Envelope, version: number, data: object): Envelope {
  const { schemaversion: _old, ...rest } = message;
  return { ...rest, ...(version > 1 ? { schemaversion: version } : {}), data };
}

function wrongWay(kind: string, contract: MessageClass, { from, to }: VersionStep, how: string): never {
  throw new TransformDeclarationError(
    `${kind} of ${contractOf(contract).type} leads from version ${from} to ${to}: 'to' must be ${how}, else it is a cycle`,
  );
}
