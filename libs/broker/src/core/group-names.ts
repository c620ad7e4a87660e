import { ConfigurationError } from './errors.js';
import type { HandlerGroup, Subscriptions } from './handler.js';

/**
 * The group of this service that is meant: by the name its handlers write, `mailer`, or by its full name, `order.mailer`. A
 * name that is both is the full one. Undefined: no handler has it.
 */
export function findGroup({ groups }: Subscriptions, name: string): HandlerGroup | undefined {
  return groups.get(name) ?? [...groups.values()].find(({ label }) => label === name);
}

/** @throws ConfigurationError when no handler has it */
export function groupNamed(subscriptions: Subscriptions, name: string): HandlerGroup {
  const group = findGroup(subscriptions, name);
  if (group) return group;
  throw new ConfigurationError(`no handler has the group '${name}': ${remedy(subscriptions)}`);
}

/**
 * What is given by the names of groups, by group.
 *
 * @throws ConfigurationError for a group that no handler has, and for one that is named twice
 */
export function byGroup<T>(
  subscriptions: Subscriptions,
  named: Readonly<Record<string, T>> = {},
): ReadonlyMap<HandlerGroup, T> {
  const found = new Map<HandlerGroup, T>();
  for (const [name, value] of Object.entries(named)) {
    const group = findGroup(subscriptions, name);
    if (!group) {
      throw new ConfigurationError(
        `groups: { '${name}' } gives options to a group that no handler has: ${remedy(subscriptions)}`,
      );
    }
    if (found.has(group)) {
      throw new ConfigurationError(
        `groups: { '${group.label}', '${group.name}' } gives options to one group twice: write one of the two`,
      );
    }
    found.set(group, value);
  }
  return found;
}

/**
 * The full name of a group of any service. One with a dot passes, since its service may be one that this one does not know.
 *
 * @param others names of the groups of other services, asked for only when the name is none of this service
 * @throws ConfigurationError for a name without a dot that no group has
 */
export async function fullNameOf(
  subscriptions: Subscriptions,
  name: string,
  others: () => Promise<ReadonlySet<string>>,
): Promise<string> {
  const own = findGroup(subscriptions, name);
  if (own) return own.name;
  if (name === subscriptions.context || name.includes('.')) return name;
  const elsewhere = await others();
  if (elsewhere.has(name)) return name;
  const known = [...new Set([...labelsOf(subscriptions), ...elsewhere])].map((each) => `'${each}'`).join(', ');
  throw new ConfigurationError(
    `no group '${name}' is known: write ${known && `one of ${known}, or `}` +
      `the full name of another one, as '${subscriptions.context}.mailer'`,
  );
}

function remedy(subscriptions: Subscriptions): string {
  const known = labelsOf(subscriptions).map((label) => `'${label}'`);
  return known.length > 0 ? `write one of ${known.join(', ')}` : 'this service has no handlers';
}

function labelsOf({ groups }: Subscriptions): readonly string[] {
  return Array.from(groups.values(), ({ label }) => label);
}
