import { contractOf, personalPlanOf, personalPlansOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import type { Transform } from '@millrace/transforms';
import type { Broker } from '../broker.js';
import { ConfigurationError } from '../errors.js';
import type { HandlerGroup } from '../handler.js';
import { noKeysFor } from './decryption.js';

/**
 * Checks before the first message that personal data can be encrypted and read.
 *
 * @param contracts of messages that the service sends or reads
 * @throws ConfigurationError when one of them has personal data, and there are no keys
 */
export function checkKeys({ context, personalData }: Broker, contracts: Iterable<MessageClass>): void {
  if (personalData) return;
  for (const contract of contracts) {
    if (personalPlanOf(contract)) throw noKeysFor(contractOf(contract).type, context);
  }
}

/** The classes that handlers take. */
export function handledContracts(groups: readonly HandlerGroup[]): MessageClass[] {
  return groups.flatMap(({ declared }) => declared.flatMap(({ contract }) => contract ?? []));
}

/**
 * Checks that no transform meets personal data where it cannot read them, or would keep them as they are.
 *
 * @throws ConfigurationError that says everything that is wrong
 */
export function checkPersonalTransforms({ boundary, personalData }: Broker, groups: readonly HandlerGroup[]): void {
  const inbound = [...boundary.inbound, ...groups.flatMap((group) => group.inbound)];
  const ofHandlers = groups.flatMap(({ declared }) => declared.flatMap(({ inbound: own = [] }) => own));
  const problems = [
    ...boundary.outbound.flatMap((transform) =>
      personalIn(transform).map(
        (type) =>
          `'${transform.name}' is outbound, and ${type} has personal data, which are encrypted by then: declare it inbound, ` +
          `where the message is consumed`,
      ),
    ),
    ...[...inbound, ...ofHandlers]
      .filter(({ shape }) => shape === 'gather')
      .flatMap((transform) =>
        personalIn(transform).map(
          (type) =>
            `'${transform.name}' keeps what it gathers as it is, and ${type} has personal data: gather ids instead`,
        ),
      ),
    ...ofHandlers
      .filter(({ kind }) => kind === 'restore-claims' && personalData)
      .map(
        ({ name }) =>
          `'${name}' is inbound of a handler: personal data are decrypted before; declare it for the service`,
      ),
  ];
  if (problems.length > 0) throw new ConfigurationError(`transforms cannot work: ${[...new Set(problems)].join('; ')}`);
}

/** A claim check takes the message as it is. */
function personalIn({ from, kind }: Transform): string[] {
  if (kind === 'claim-check') return [];
  return from.filter((type) => personalPlansOf(type).length > 0);
}
