/**
 * The builds of one projection: each a view of its own with checkpoints of its own, made by folding the events from the
 * first one. Readers see the one that serves.
 */
export interface BuildRecord {
  readonly serving: string;
  /** Catches up beside the one that serves, and takes its place then. */
  readonly building?: string;
  /** Served before: what {@link rolledBack} goes back to. Kept up to date as long as somebody runs its version. */
  readonly previous?: string;
  /** Older ones. Nobody keeps them up to date; they wait to be removed. */
  readonly retired: readonly string[];
  /** Being removed: whoever removes old builds removes what is left of these. */
  readonly dropped?: readonly string[];
  /** How many builds each version has had, for the names of further ones. */
  readonly made: Readonly<Record<string, number>>;
}

export type BuildRole = 'serving' | 'building' | 'previous';

/** A projection in one version. */
export interface ProjectionVersion {
  readonly projection: string;
  readonly version: number;
}

/** `products.v2`, and `products.v2.r3` for the third build of version 2. */
export function buildName({ projection, version }: ProjectionVersion, nth = 1): string {
  return nth === 1 ? `${projection}.v${version}` : `${projection}.v${version}.r${nth}`;
}

export function versionOf(build: string): number {
  return Number(/\.v(\d+)(?:\.r\d+)?$/.exec(build)?.[1]);
}

/** The builds that a process with this version keeps up to date. */
export function buildsOf({ serving, building, previous }: BuildRecord, version: number): Map<string, BuildRole> {
  const builds = new Map<string, BuildRole>([[serving, 'serving']]);
  if (building !== undefined) builds.set(building, 'building');
  if (previous !== undefined) builds.set(previous, 'previous');
  for (const build of builds.keys()) if (versionOf(build) !== version) builds.delete(build);
  return builds;
}

/**
 * A process that has this version starts. The first version ever serves at once; one that is newer than all others is built;
 * nothing changes for one that is known, or older.
 */
export function declared(record: BuildRecord | undefined, of: ProjectionVersion): BuildRecord {
  if (!record) return { serving: buildName(of), retired: [], made: { [of.version]: 1 } };
  const { serving, building, previous, retired } = record;
  const known = [serving, building, previous, ...retired].flatMap((build) => (build ? [versionOf(build)] : []));
  return known.every((version) => version < of.version) ? begun(record, of) : record;
}

/** A further build of this version begins, in place of one that is under way. */
export function begun(record: BuildRecord, of: ProjectionVersion): BuildRecord {
  const nth = (record.made[of.version] ?? 0) + 1;
  const { building, retired } = record;
  return {
    ...record,
    building: buildName(of, nth),
    retired: building === undefined ? retired : [...retired, building],
    made: { ...record.made, [of.version]: nth },
  };
}

/** The build has caught up: it serves. Undefined when it is no longer the one that is built. */
export function switched(record: BuildRecord, build: string): BuildRecord | undefined {
  const { serving, building, previous, retired, ...others } = record;
  if (building !== build) return undefined;
  return { ...others, serving: building, previous: serving, retired: previous ? [...retired, previous] : retired };
}

/** The one that served before serves again. Undefined when there is none. */
export function rolledBack(record: BuildRecord): BuildRecord | undefined {
  const { serving, previous } = record;
  return previous === undefined ? undefined : { ...record, serving: previous, previous: serving };
}

/** What is built is given up. Undefined when nothing is. */
export function cancelled({ building, ...record }: BuildRecord): BuildRecord | undefined {
  return building === undefined ? undefined : { ...record, retired: [...record.retired, building] };
}

/** These have been removed. */
export function without(record: BuildRecord, removed: readonly string[]): BuildRecord {
  return { ...record, dropped: (record.dropped ?? []).filter((build) => !removed.includes(build)) };
}

/** Without the builds that are not needed to serve: they are dropped. */
export function cleared({ previous, ...record }: BuildRecord): BuildRecord {
  const { retired, dropped = [] } = record;
  return { ...record, retired: [], dropped: [...dropped, ...(previous === undefined ? [] : [previous]), ...retired] };
}
