import { contractOf } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { checkFunctions } from './check-functions.js';
import { instanceOf } from './retype.js';
import { TransformDeclarationError } from './transform-error.js';
import type { ExpandTransform, Passage } from './transform.js';

/**
 * Content-Based Router: looks at the content and chooses one of the declared routes. Inbound a route names handlers,
 * `@On(StockLow, { route: 'books' })`; outbound it is the context to whose inbox a command goes.
 *
 * @example
 * route(StockLow, ['books', 'rest'], ({ sku }) => (sku.startsWith('book-') ? 'books' : 'rest'))
 * @throws TransformDeclarationError without routes, or with one twice
 */
export function route<T extends object, const Routes extends readonly string[]>(
  contract: MessageClass<T>,
  routes: Routes,
  choose: (data: T, message: Envelope) => Routes[number],
): ExpandTransform {
  return router('route', contract, routes, choose, (chosen) => [chosen]);
}

/**
 * Recipient List: a copy for each of the chosen routes; none: it goes nowhere. All of them are one commit.
 *
 * @example
 * recipientList(OrderPlaced, ['warehouse', 'loyalty'], ({ member }) => (member ? ['warehouse', 'loyalty'] : ['warehouse']))
 * @throws TransformDeclarationError without routes, or with one twice
 */
export function recipientList<T extends object, const Routes extends readonly string[]>(
  contract: MessageClass<T>,
  routes: Routes,
  choose: (data: T, message: Envelope) => readonly Routes[number][],
): ExpandTransform {
  return router('recipient-list', contract, routes, choose, (chosen) => [...new Set(chosen)]);
}

function router<T extends object, Chosen>(
  kind: 'route' | 'recipient-list',
  contract: MessageClass<T>,
  routes: readonly string[],
  choose: (data: T, message: Envelope) => Chosen,
  listOf: (chosen: Chosen) => readonly string[],
): ExpandTransform {
  const { type } = contractOf(contract);
  const name = `${kind} ${type} -> ${routes.join(', ')}`;
  checkRoutes(name, routes);
  checkFunctions(name, { choose });
  return {
    kind,
    shape: 'expand',
    name,
    from: [type],
    to: [type],
    routes,
    contracts: [contract],
    apply: (message): readonly Passage[] => {
      const data = instanceOf(contract, message);
      const typed = { ...message, data };
      return listOf(choose(data, message)).map((chosen) => {
        if (!routes.includes(chosen)) throw new Error(`'${chosen}' is not among the declared routes`);
        return { message: typed, route: chosen };
      });
    },
  };
}

/** @throws TransformDeclarationError without routes, or with one twice */
export function checkRoutes(name: string, routes: readonly string[]): void {
  if (routes.length === 0) throw new TransformDeclarationError(`'${name}' has no routes: name at least one`);
  const twice = routes.find((one, index) => routes.indexOf(one) !== index);
  if (twice !== undefined) throw new TransformDeclarationError(`'${name}' names route '${twice}' twice: name it once`);
}
