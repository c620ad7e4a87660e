import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelOf, newAggregate, passEvent, replay } from '@millrace/event-store';
import type { AggregateType } from '@millrace/event-store';
import { contractOf, decode, toInstance } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import {
  chainProblems,
  Halted,
  historyProblems,
  isVersionTransform,
  oldVersions,
  Pipeline,
  retiredTypes,
} from '@millrace/transforms';
import type { Transform } from '@millrace/transforms';

/** A message as it was stored once: a CloudEvents JSON document, and where it is kept. */
export interface GoldenEntry {
  /** The file, or another name for errors. */
  readonly name: string;
  readonly text: string;
}

/** What an old message is today. */
export interface Replayed {
  readonly name: string;
  /** The version it was stored in. */
  readonly from: number;
  readonly message: Envelope;
  /** An instance of its class, checked by it. */
  readonly data: object;
}

/** A golden message that is missing, or that the chain no longer brings to what its class allows. */
export class GoldenHistoryError extends Error {
  override readonly name = 'GoldenHistoryError';

  constructor(readonly problems: readonly string[]) {
    super(`the golden history does not hold:\n- ${problems.join('\n- ')}`);
  }
}

/**
 * Messages as they were stored in every version there ever was, kept for good: whatever happens to upcasts and classes,
 * they must still become what the classes of today allow.
 *
 * A folder has one file per message, `<type>.v<version>.json` or `<type>.v<version>.<case>.json`, with the CloudEvents JSON
 * as it stands in the stream (`redis-cli XRANGE ... `). Write it when a version is published, and never change it.
 *
 * @example
 * it('still understands all that was ever stored', () => {
 *   const [first] = goldenHistory('test/golden').replay([upcastProductAdded]);
 *   expect(first!.data).toEqual(new ProductAdded({ ... }));
 * });
 * @param source a folder, or the entries themselves
 */
export function goldenHistory(source: string | readonly GoldenEntry[]): GoldenHistory {
  return new GoldenHistory(typeof source === 'string' ? filesIn(source) : source, source);
}

/** Stored messages of old versions, to be replayed. */
export class GoldenHistory {
  constructor(
    private readonly entries: readonly GoldenEntry[],
    private readonly source: string | readonly GoldenEntry[],
  ) {}

  /**
   * Brings every message to its current version and checks it by its class.
   *
   * @param stored the upcasts as the service declares them
   * @param contracts classes of messages without upcasts, to be checked as well
   * @throws GoldenHistoryError when a version that an upcast takes has no message here, when the chain has a gap, or when a
   * message does not become what its class allows
   */
  replay(stored: readonly Transform[], contracts: readonly MessageClass[] = []): readonly Replayed[] {
    const upcasts = stored.filter(isVersionTransform).filter(({ kind }) => kind === 'upcast');
    const classes = [...upcasts.map(({ contract }) => contract), ...contracts];
    const byType = new Map(classes.map((contract) => [contractOf(contract).type, contract]));
    const problems = [...chainProblems(stored), ...historyProblems(stored)];
    const pipeline = new Pipeline(stored);
    const found = this.entries.flatMap(({ name, text }): Found[] => {
      try {
        const message = decode(['event', text], name);
        const rename = stored.find(({ kind, from }) => kind === 'rename' && from.includes(message.type));
        return [{ name, message, type: rename?.to[0] ?? message.type }];
      } catch (error) {
        problems.push(`${name}: ${(error as Error).message}`);
        return [];
      }
    });
    problems.push(...missing(byType.values(), stored, found, this.place));
    const replayed = found.flatMap(({ name, message, type: known }): Replayed[] => {
      const contract = byType.get(known);
      if (!contract) return [];
      try {
        const today = pipeline.begin(message);
        if (today instanceof Halted) throw new Error(`'${stored[today.at]!.name}' does more than map`);
        const { type, version } = contractOf(contract);
        const reached = today.schemaversion ?? 1;
        if (today.type === type && reached !== version)
          throw new Error(`it ends at version ${reached}, not ${version}`);
        return [{ name, from: message.schemaversion ?? 1, message: today, data: toInstance(contract, today.data) }];
      } catch (error) {
        problems.push(`${name}: ${(error as Error).message}`);
        return [];
      }
    });
    if (problems.length > 0) throw new GoldenHistoryError(problems);
    return replayed;
  }

  /**
   * The aggregates that the stored events make today, by their ids: the events with one `subject` (`product-mug`) in the
   * order of their `time`. Types that are retired are passed. Needs a message of every event that the aggregate applies.
   *
   * @example
   * const products = goldenHistory('test/golden').fold(Product, catalogHistory);
   * expect(products.get('mug')).toMatchObject({ available: 18 });
   * @throws GoldenHistoryError as `replay`, and for an event that the aggregate does not know
   */
  fold<A extends object>(type: AggregateType<A>, stored: readonly Transform[] = []): ReadonlyMap<string, A> {
    const model = modelOf(type);
    const contracts = Array.from(model.evolutions.values(), ({ contract }) => contract);
    const replayed = new Map(this.replay(stored, contracts).map((each) => [each.name, each]));
    const gone = retiredTypes(stored);
    const problems: string[] = [];
    const folded = new Map<string, A>();
    for (const { name, message } of this.inTime()) {
      const { subject = '', type: storedAs } = message;
      if (!subject.startsWith(`${model.name}-`)) continue;
      const id = subject.slice(model.name.length + 1);
      const aggregate = folded.get(id) ?? newAggregate(model, id);
      folded.set(id, aggregate);
      const today = replayed.get(name);
      if (gone.has(storedAs)) passEvent(aggregate);
      else if (!today || !replay(model, aggregate, today.message.type, today.data)) {
        problems.push(`${name}: ${today?.message.type ?? storedAs}: ${model.label} ${model.remedy}`);
      }
    }
    if (problems.length > 0) throw new GoldenHistoryError(problems);
    return folded;
  }

  private inTime(): readonly { readonly name: string; readonly message: Envelope }[] {
    return this.entries
      .map(({ name, text }) => ({ name, message: decode(['event', text], name) }))
      .toSorted((a, b) => Date.parse(a.message.time ?? '') - Date.parse(b.message.time ?? '') || 0);
  }

  private get place(): string {
    return typeof this.source === 'string' ? this.source : 'the entries given';
  }
}

function filesIn(folder: string): GoldenEntry[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => ({ name: join(folder, name), text: readFileSync(join(folder, name), 'utf8') }));
}

/** A message of the history, and the type that it has today. */
interface Found {
  readonly name: string;
  readonly message: Envelope;
  readonly type: string;
}

/** Versions of which no message is kept, those that upcasts take and the current one, and names that types had. */
function missing(
  contracts: Iterable<MessageClass>,
  stored: readonly Transform[],
  found: readonly Found[],
  place: string,
): string[] {
  const upcasts = stored.filter(isVersionTransform).filter(({ kind }) => kind === 'upcast');
  const renamed = stored.filter(({ kind }) => kind === 'rename').flatMap(({ from }) => from);
  const versions = [...contracts].flatMap((contract) => {
    const { type, version: current } = contractOf(contract);
    const kept = new Set(found.filter((each) => each.type === type).map(({ message }) => message.schemaversion ?? 1));
    const chain = upcasts.filter((upcast) => contractOf(upcast.contract).type === type);
    return [...oldVersions(chain), current]
      .filter((version) => !kept.has(version))
      .map((version) => ({ type, version }));
  });
  return [
    ...versions.map(
      ({ type, version }) =>
        `${place} has no message ${type} of version ${version}: store one as ${type}.v${version}.json, ` +
        `as it was written to the stream`,
    ),
    ...renamed
      .filter((type) => !found.some(({ message }) => message.type === type))
      .map((type) => `${place} has no message ${type}, which has another name today: store one as it was written`),
  ];
}
