import { addressOf } from '@millrace/broker';
import type { Broker, ExpectedVersion, Guard, UnitOfWork } from '@millrace/broker';
import type { PreparedAppend } from './prepared-append.js';

export interface Mismatch {
  readonly stream: string;
  readonly expected: ExpectedVersion;
  readonly actual: number;
}

/** What a handler has appended to one stream so far. */
interface Growth {
  count: number;
  guarded: boolean;
}

/**
 * Adds appends to the commit of the handler that is running, if their streams are at the expected versions, with what the
 * handler has appended itself; else answers which is not, and adds nothing. Who changes a stream before the commit makes the
 * handler run again.
 */
export async function stageAppends(
  broker: Broker,
  unit: UnitOfWork,
  appends: readonly PreparedAppend[],
  once: readonly Guard[],
): Promise<Mismatch | undefined> {
  const versions = new Map<string, number>();
  for (const { partition, stream, expected } of appends) {
    if (stream === undefined || expected === undefined || versions.has(stream)) continue;
    versions.set(stream, (await broker.store.readStream(partition, stream, { limit: 1, backwards: true })).version);
  }
  const guards: Guard[] = [...once];
  // Of streams that come twice both appends expect what was before.
  for (const append of appends) {
    const { stream, expected } = append;
    if (stream === undefined || expected === undefined) continue;
    const stored = versions.get(stream)!;
    const growth = growthOf(unit, append, stream);
    const actual = stored + growth.count;
    if (!holds(expected, actual)) return { stream, expected, actual };
    if (growth.guarded || (expected === 'exists' && growth.count > 0)) continue;
    guards.push({ kind: 'version', stream, expected: expected === 'exists' ? 'exists' : stored });
  }
  unit.stage(appends[0]!.partition, { guards, writes: appends.map(({ write }) => write) });
  for (const append of appends) {
    if (append.stream === undefined) continue;
    const growth = growthOf(unit, append, append.stream);
    growth.count += append.write.events.length;
    growth.guarded ||= append.expected !== undefined && append.expected !== 'exists';
  }
  return undefined;
}

function growthOf(unit: UnitOfWork, { partition }: PreparedAppend, stream: string): Growth {
  const name = `appended:${addressOf(partition)} ${stream}`;
  let growth = unit.identities.get(name) as Growth | undefined;
  if (!growth) unit.identities.set(name, (growth = { count: 0, guarded: false }));
  return growth;
}

function holds(expected: ExpectedVersion, actual: number): boolean {
  if (expected === 'none') return actual === 0;
  return expected === 'exists' ? actual > 0 : actual === expected;
}
