import { contractOf } from '@millrace/messages';
import { ANY_TYPE, chainProblems, exitTypes, historyProblems, kindIn, retiredTypes } from '@millrace/transforms';
import type { Transform } from '@millrace/transforms';
import { claimOfHistory } from './boundary.js';
import type { Boundary } from './boundary.js';
import { ConfigurationError } from './errors.js';
import type { HandlerDeclaration, HandlerGroup } from './handler.js';
import type { Reading, Sending } from './topology/declarations.js';

/**
 * Checks what can be known of transforms before the first message: version chains, routes, and that each is where it can
 * act and reaches a handler.
 *
 * @throws ConfigurationError that says everything that is wrong
 */
export function checkTransforms(boundary: Boundary, groups: readonly HandlerGroup[]): void {
  const found = [
    ...storedProblems(boundary),
    ...outboundProblems(boundary.outbound),
    ...groups.flatMap((group) => groupProblems(boundary, group)),
    ...groups.flatMap((group) => retiredProblems(boundary, group)),
    ...uselessProblems('inbound of the service', boundary.inbound, groups),
  ];
  const problems = [...new Set(found)];
  if (problems.length > 0) throw new ConfigurationError(`transforms cannot work: ${problems.join('; ')}`);
}

/**
 * Checks that nothing beside handlers writes or reads what is retired: an aggregate that applies it, a projection.
 *
 * @throws ConfigurationError that names all of them
 */
export function checkRetired({ history }: Boundary, uses: readonly (Sending | Reading)[]): void {
  const gone = retiredTypes(history);
  const problems = uses.flatMap(({ by, contract }) => {
    const { type } = contractOf(contract);
    return gone.has(type) ? [`${type} is retired, and ${by} has it: keep one`] : [];
  });
  if (problems.length > 0) throw new ConfigurationError(`transforms cannot work: ${problems.join('; ')}`);
}

/**
 * Checks that outbound transforms leave history whole: what is recorded can only be mapped, and what is read from streams cannot
 * be in claims, which expire.
 *
 * @throws ConfigurationError that names all of them
 */
export function checkHistory({ outbound }: Boundary, sendings: readonly Sending[], readings: readonly Reading[]): void {
  const recorded = sendings.filter(({ history }) => history !== undefined);
  const problems = [...recorded, ...readings].flatMap((use) => {
    const { type } = contractOf(use.contract);
    const isRecorded = 'history' in use && use.history === 'always';
    return outbound
      .filter((transform, at) => transform.shape !== 'map' && meets(outbound.slice(0, at), type, transform))
      .filter(({ kind }) => kind === 'claim-check' || isRecorded)
      .map((transform) =>
        transform.kind === 'claim-check'
          ? `${claimOfHistory(transform, type)} (${use.by} has it)`
          : `'${transform.name}' is outbound, and ${use.by} records ${type}, which can only be mapped`,
      );
  });
  if (problems.length > 0) throw new ConfigurationError(`transforms cannot work: ${problems.join('; ')}`);
}

/** Whether a transform takes messages of a type behind others. */
function meets(before: readonly Transform[], type: string, { from }: Transform): boolean {
  return from.includes(ANY_TYPE) || exitTypes(before, type).some((each) => from.includes(each));
}

function retiredProblems({ history }: Boundary, { declared }: HandlerGroup): string[] {
  const gone = retiredTypes(history);
  return declared
    .filter(({ type }) => gone.has(type))
    .map(({ name, type }) => `${type} is retired, and ${name} handles it: keep one`);
}

function storedProblems({ history, inbound }: Boundary): string[] {
  return [
    ...history
      .filter(({ shape }) => shape !== 'map')
      .map(({ name }) => `'${name}' is in stored: what is stored can only be mapped; declare it inbound`),
    ...history
      .filter(({ kind }) => kind === 'downcast')
      .map(({ name }) => `'${name}' is in stored: declare it outbound`),
    ...chainProblems([...history, ...inbound]),
    ...historyProblems(history),
    ...inbound
      .filter(({ kind }) => kind === 'retire' || kind === 'rename')
      .map(({ name }) => `'${name}' is inbound: declare it in stored`),
  ];
}

function outboundProblems(outbound: readonly Transform[]): string[] {
  return [
    ...chainProblems(outbound),
    ...outbound.flatMap((transform) => {
      const { kind, name, shape } = transform;
      if (shape === 'gather') return [`'${name}' is outbound: an aggregate needs what is consumed; declare it inbound`];
      if (kind === 'upcast') return [`'${name}' is outbound: declare it in stored`];
      if (kind === 'restore-claims') return [`'${name}' is outbound: declare it inbound`];
      if (!transform.routes) return [];
      const other = transform.from.find((type) => (kindIn(outbound, type) ?? 'command') !== 'command');
      return other === undefined
        ? []
        : [`'${name}' is outbound, and ${other} is no command: only commands go to another context; route it inbound`];
    }),
  ];
}

function groupProblems(boundary: Boundary, group: HandlerGroup): string[] {
  const common = [...boundary.history, ...boundary.inbound, ...group.inbound];
  const where = `group '${group.label}'`;
  return [
    ...chainProblems(common),
    ...misplaced(common, where),
    ...twins(common, where),
    ...uselessProblems(`inbound of ${where}`, group.inbound, [group]),
    ...unhandledRoutes(common, group),
    ...group.declared.flatMap((handler) => {
      const { inbound = [], name, route, type } = handler;
      const all = [...common, ...inbound];
      return [
        ...(inbound.length > 0 ? [...chainProblems(all), ...misplaced(inbound, name), ...twins(all, name)] : []),
        ...(handler.everyInstance ? uncommitted(all, handler) : []),
        ...inbound
          .filter(({ from, kind }) => !reaches(inbound, from, type) && kind !== 'wire-tap')
          .map((useless) => `'${useless.name}' at ${name} gives nothing that becomes ${type}, which it handles`),
        ...(route !== undefined && !common.some(({ routes, to }) => routes?.includes(route) && to.includes(type))
          ? [`${name} takes ${type} on route '${route}', which no router declares: ${declaredRoutes(common, type)}`]
          : []),
      ];
    }),
  ];
}

/** What aggregates keep and wire taps send is written with the commit of a group, which every instance has not. */
function uncommitted(transforms: readonly Transform[], { name, type, accepts }: HandlerDeclaration): string[] {
  return transforms
    .filter(({ kind, shape }) => kind === 'wire-tap' || shape === 'gather')
    .filter((writing) => accepts ?? reaches(transforms.slice(transforms.indexOf(writing)), writing.from, type))
    .map(
      (writing) =>
        `'${writing.name}' lies before ${name}, which has everyInstance: true and so no commit for what it writes: ` +
        `give ${name} a group, or declare the transform in the inbound of the group that needs it`,
    );
}

/** A router whose routes lead past every handler would dead-letter whatever takes them. */
function unhandledRoutes(transforms: readonly Transform[], group: HandlerGroup): string[] {
  return transforms.flatMap((router, at) => {
    if (!router.routes || router.kind === 'routing-slip') return [];
    const types = router.to.flatMap((type) => exitTypes(transforms.slice(at + 1), type));
    if (!types.some((type) => group.takes(type))) return [];
    return router.routes
      .filter((route) => !types.some((type) => group.handles(type, route)))
      .map(
        (route) =>
          `'${router.name}' may choose route '${route}', which no handler of group '${group.label}' takes: ` +
          `write { route: '${route}' } at one, or leave the route out for all that is left`,
      );
  });
}

function uselessProblems(where: string, transforms: readonly Transform[], groups: readonly HandlerGroup[]): string[] {
  return transforms
    .map((transform, at) => ({ transform, later: transforms.slice(at) }))
    .filter(({ transform: { from } }) => !from.includes(ANY_TYPE))
    .filter(({ transform, later }) =>
      groups.every((group) => {
        const types = transform.from.flatMap((type) => exitTypes([...later, ...group.inbound], type));
        return ![...types, ...transform.from].some((type) => group.takes(type));
      }),
    )
    .filter(() => groups.length > 0)
    .map(({ transform: { name } }) => `'${name}' is in the ${where}, and nothing there handles what it takes or gives`);
}

function misplaced(transforms: readonly Transform[], where: string): string[] {
  return transforms
    .filter(({ kind }) => kind === 'downcast' || kind === 'claim-check' || kind === 'routing-slip')
    .map(({ name }) => `'${name}' is inbound of ${where}: declare it outbound, where it is published`);
}

function twins(transforms: readonly Transform[], where: string): string[] {
  const names = transforms.filter(({ shape }) => shape === 'gather').map(({ name }) => name);
  return names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => `two of ${where} are '${name}' and would share what they keep: give one a name`);
}

function reaches(transforms: readonly Transform[], from: readonly string[], type: string): boolean {
  return from.some((each) => each === ANY_TYPE || exitTypes(transforms, each).includes(type));
}

function declaredRoutes(transforms: readonly Transform[], type: string): string {
  const routes = transforms.flatMap(({ to, routes = [] }) => (to.includes(type) ? routes : []));
  return routes.length > 0
    ? `declared are '${routes.join("', '")}'`
    : `declare route(${type}, ['...'], ...) inbound of the service or of the group`;
}
