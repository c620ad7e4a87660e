import { contractOf } from '@millrace/messages';
import type { Transform } from './transform.js';
import type { VersionTransform } from './versions.js';

/** What is wrong with a set of upcasts or downcasts, as sentences that say what to do. Empty: nothing. */
export function chainProblems(transforms: readonly Transform[]): string[] {
  const chains = new Map<string, VersionTransform[]>();
  for (const transform of transforms) {
    if (!isVersionTransform(transform)) continue;
    const key = `${transform.kind} ${transform.from[0]}`;
    chains.set(key, [...(chains.get(key) ?? []), transform]);
  }
  return [...chains.values()].flatMap((chain) => [
    ...duplicatesIn(chain),
    ...disorderIn(chain),
    ...(chain[0]!.kind === 'upcast' ? upcastProblems(chain) : downcastProblems(chain)),
  ]);
}

/** The versions that upcasts of one contract lead away from. */
export function oldVersions(chain: readonly VersionTransform[]): number[] {
  return [...new Set(chain.map(({ version }) => version))].sort((a, b) => a - b);
}

export function isVersionTransform(transform: Transform): transform is VersionTransform {
  return transform.kind === 'upcast' || transform.kind === 'downcast';
}

function duplicatesIn(chain: readonly VersionTransform[]): string[] {
  const known = new Map<number, VersionTransform>();
  return chain.flatMap((transform) => {
    const other = known.get(transform.version);
    known.set(transform.version, transform);
    return other && other !== transform
      ? [
          `two ${transform.kind}s take version ${transform.version} of ${transform.from[0]}: '${other.name}' and '${transform.name}': keep one`,
        ]
      : [];
  });
}

/** Each transform is applied once, in the declared order. */
function disorderIn(chain: readonly VersionTransform[]): string[] {
  return chain.flatMap((later, at) => {
    const earlier = chain.slice(0, at).find(({ version }) => version === later.toVersion);
    return earlier ? [`'${later.name}' gives what '${earlier.name}' takes: declare it before that`] : [];
  });
}

function upcastProblems(chain: readonly VersionTransform[]): string[] {
  const { contract } = chain[0]!;
  const { type, version: current } = contractOf(contract);
  const steps = new Map(chain.map((step) => [step.version, step]));
  const beyond = chain.filter(({ toVersion }) => toVersion > current);
  if (beyond.length > 0) {
    return beyond.map(
      ({ name, toVersion }) =>
        `'${name}' leads to version ${toVersion}, ${contract.name} declares ${current}: raise it`,
    );
  }
  const first = chain.find(({ oldest }) => oldest)?.version ?? 1;
  const gaps: string[] = [];
  for (let version = first; version < current; version++) {
    if (steps.has(version)) continue;
    gaps.push(
      `${type} has no upcast from version ${version}, ${contract.name} declares ${current}: add upcast(${contract.name}, ` +
        `{ from: ${version}, to: ${version + 1} }, ...)` +
        (version < Math.min(...steps.keys())
          ? `, or oldest: true to the first one when nothing that old is stored`
          : ''),
    );
  }
  return gaps;
}

function downcastProblems(chain: readonly VersionTransform[]): string[] {
  const { contract } = chain[0]!;
  const { type, version: current } = contractOf(contract);
  const steps = new Map(chain.map((step) => [step.version, step]));
  const reached = new Set<number>();
  for (let step = steps.get(current); step; step = steps.get(step.toVersion)) reached.add(step.version);
  return chain
    .filter(({ version }) => !reached.has(version))
    .map(
      ({ name, version }) =>
        `'${name}' takes a version that is never reached: ${contract.name} is published in version ${current} of ${type}, ` +
        `and no downcast leads from there to ${version}`,
    );
}
