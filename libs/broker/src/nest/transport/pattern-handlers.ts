import { inspect } from 'node:util';
import type { MessageHandler } from '@nestjs/microservices';
import { ConfigurationError } from '../../core/errors.js';

/** Handlers of one pattern for events. */
export interface EventHandlers<H> {
  /** As clients write it, normalized. */
  readonly route: string;
  /** By the group that each has beside the service's own (undefined). */
  readonly byGroup: ReadonlyMap<string | undefined, H>;
}

/**
 * The handlers of a server by their normalized pattern. Unlike Nest's own servers it does not chain the event handlers of
 * one pattern: when one of them fails, only this one is to be repeated.
 */
export class PatternHandlers<H extends Pick<MessageHandler, 'isEventHandler' | 'extras'>> {
  private readonly handlers = new Map<string, H[]>();

  get routes(): Iterable<string> {
    return this.handlers.keys();
  }

  add(route: string, handler: H): void {
    const known = this.handlers.get(route);
    if (known) known.push(handler);
    else this.handlers.set(route, [handler]);
  }

  /** Who answers requests: as with Nest's servers an event handler, too, if there is no other. */
  forRequest(route: string): H | undefined {
    const handlers = this.handlers.get(route);
    return handlers?.findLast(({ isEventHandler }) => !isEventHandler) ?? handlers?.[0];
  }

  /**
   * Who gets events: as with Nest's servers a message handler, too, if there is no other.
   *
   * @throws ConfigurationError when two handlers of one pattern have the same group
   */
  forEvents(): EventHandlers<H>[] {
    return [...this.handlers].map(([route, handlers]) => {
      const listed = handlers.filter(({ isEventHandler }) => isEventHandler);
      const byGroup = new Map<string | undefined, H>();
      for (const handler of listed.length > 0 ? listed : handlers.slice(-1)) {
        const group = handler.extras?.['group'] as string | undefined;
        if (byGroup.has(group)) throw twice(route, group);
        byGroup.set(group, handler);
      }
      return { route, byGroup };
    });
  }
}

/** @throws ConfigurationError for a pattern that no client can send, and for a wildcard */
export function checkPattern(pattern: unknown): void {
  if (typeof pattern === 'string' && pattern.includes('*')) {
    throw new ConfigurationError(
      `pattern '${pattern}' is a wildcard, which this transport does not have: it would match no event but '${pattern}'; ` +
        `list the patterns, @EventPattern(['order.placed', 'order.paid'])`,
    );
  }
  if (typeof pattern === 'number' || (typeof pattern === 'string' && pattern !== '')) return;
  const fields = typeof pattern === 'object' && pattern !== null && !Array.isArray(pattern) ? Object.keys(pattern) : [];
  if (fields.length > 0) return;
  throw new ConfigurationError(
    `pattern ${inspect(pattern)} cannot be sent: write a text that is not empty, a number, or an object with a field`,
  );
}

function twice(route: string, group: string | undefined): ConfigurationError {
  const where = group === undefined ? "the service's own group" : `group '${group}'`;
  return new ConfigurationError(
    `two event handlers of pattern '${route}' are in ${where}: if one failed, the other would be repeated with it; ` +
      `give one of them a group of its own: @EventPattern('${route}', { group: 'mailer' })`,
  );
}
