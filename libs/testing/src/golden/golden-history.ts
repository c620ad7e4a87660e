import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contractOf, decode, toInstance } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { chainProblems, Halted, isVersionTransform, oldVersions, Pipeline } from '@millrace/transforms';
import type { Transform, VersionTransform } from '@millrace/transforms';

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
    const pipeline = new Pipeline(stored);
    const problems = chainProblems(stored);
    const found = this.entries.flatMap((entry): { entry: GoldenEntry; message: Envelope }[] => {
      try {
        return [{ entry, message: decode(['event', entry.text], entry.name) }];
      } catch (error) {
        problems.push(`${entry.name}: ${(error as Error).message}`);
        return [];
      }
    });
    problems.push(
      ...missing(
        byType.values(),
        upcasts,
        found.map(({ message }) => message),
        this.place,
      ),
    );
    const replayed = found.flatMap(({ entry: { name }, message }): Replayed[] => {
      const contract = byType.get(message.type);
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

/** Versions of which no message is kept: those that upcasts take, and the current one. */
function missing(
  contracts: Iterable<MessageClass>,
  upcasts: readonly VersionTransform[],
  messages: readonly Envelope[],
  place: string,
): string[] {
  return [...contracts].flatMap((contract) => {
    const { type, version: current } = contractOf(contract);
    const kept = new Set(messages.filter((message) => message.type === type).map((each) => each.schemaversion ?? 1));
    const chain = upcasts.filter((upcast) => contractOf(upcast.contract).type === type);
    return [...oldVersions(chain), current]
      .filter((version) => !kept.has(version))
      .map(
        (version) =>
          `${place} has no message ${type} of version ${version}: store one as ${type}.v${version}.json, ` +
          `as it was written to the stream`,
      );
  });
}
