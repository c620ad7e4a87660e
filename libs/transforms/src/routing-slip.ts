import { contractOf } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { checkFunctions } from './check-functions.js';
import { instanceOf } from './retype.js';
import { checkRoutes } from './route.js';
import { TransformDeclarationError } from './transform-error.js';
import type { ExpandTransform, Passage } from './transform.js';

/**
 * Routing Slip: the command visits several contexts one after the other, and carries the list of those still to come in
 * the attribute `routingslip`. Each handles it and passes it on in the same commit: unchanged when its handler returns
 * nothing, changed when it returns a message of the same class. A reply ends the trip and goes to the sender.
 *
 * With no stop chosen, the command goes where its type says.
 *
 * @example
 * routingSlip(Prepare, ['cutting', 'painting', 'packing'], ({ painted }) =>
 *   painted ? ['cutting', 'painting', 'packing'] : ['cutting', 'packing'])
 * @throws TransformDeclarationError when the message is no command, or without stops
 */
export function routingSlip<T extends object, const Stops extends readonly string[]>(
  contract: MessageClass<T>,
  stops: Stops,
  choose: (data: T, message: Envelope) => readonly Stops[number][],
): ExpandTransform {
  const { type, kind } = contractOf(contract);
  const name = `routing-slip ${type} -> ${stops.join(', ')}`;
  if (kind !== 'command') throw new TransformDeclarationError(`'${name}': ${type} is no command; only commands travel`);
  checkRoutes(name, stops);
  checkFunctions(name, { choose });
  return {
    kind: 'routing-slip',
    shape: 'expand',
    name,
    from: [type],
    to: [type],
    routes: stops,
    contracts: [contract],
    apply: (message) => {
      const data = instanceOf(contract, message);
      const chosen = choose(data, message);
      const odd = chosen.find((stop) => !stops.includes(stop));
      if (odd !== undefined) throw new Error(`'${odd}' is not among the declared stops`);
      return [passage({ ...message, data }, chosen)];
    },
  };
}

/** The next stop of a message that has been handled at the last one; undefined when it has none. */
export function nextStop(message: Envelope, data: unknown = message.data): Passage | undefined {
  const { routingslip: slip } = message;
  return slip === undefined || slip === '' ? undefined : passage({ ...message, data }, slip.split(','));
}

function passage({ routingslip: _before, ...message }: Envelope, stops: readonly string[]): Passage {
  const [first, ...later] = stops;
  if (first === undefined) return { message };
  return { message: later.length > 0 ? { ...message, routingslip: later.join(',') } : message, route: first };
}
