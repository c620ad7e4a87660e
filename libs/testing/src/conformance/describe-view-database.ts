import { randomUUID } from 'node:crypto';
import type { Checkpoint, ParkedEvent, ViewBuild, ViewDatabase, ViewPlace } from '@millrace/event-store';
import { afterAll, beforeAll, describe, expect, it } from './jest-globals.js';

/** One adapter under test, and how rows of numbers are written and read with its handle. */
export interface ViewHarness<Handle> {
  readonly database: ViewDatabase<Handle>;
  /** The same rows by other connections, as another process has them. Default: the same database. */
  readonly other?: ViewDatabase<Handle>;
  /** Makes room for the rows of a build. */
  create(handle: Handle): Promise<void>;
  /** Puts a row. */
  put(handle: Handle, name: string, value: number): Promise<void>;
  rows(handle: Handle): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/**
 * What an adapter of {@link ViewDatabase} keeps to, as Jest tests. Each has builds of its own, so the database need not be
 * empty.
 */
export function describeViewDatabase<Handle>(name: string, open: () => Promise<ViewHarness<Handle>>): void {
  describe(`views in another database: ${name}`, () => {
    let harness: ViewHarness<Handle>;
    beforeAll(async () => void (harness = await open()), 120_000);
    afterAll(() => harness?.close(), 60_000);

    const begun = async (): Promise<ViewPlace> => {
      const place = freshPlace();
      await harness.database.begin(place, (handle) => harness.create(handle));
      return place;
    };
    const rows = (build: ViewBuild) => harness.database.read(build, (handle) => harness.rows(handle));
    const noted = (place: ViewPlace, position: number, more: Partial<ParkedEvent> = {}): ParkedEvent => ({
      projection: place.build,
      partition: { context: place.context, index: place.partition },
      position,
      type: 'work.counted',
      key: 'k',
      id: `id-${position}`,
      error: "cannot 'count'",
      attempts: 3,
      at: 1_700_000_000_000,
      ...more,
    });
    const park = (place: ViewPlace, event: ParkedEvent, parked = 1) =>
      harness.database.transact(place, async () => ({ checkpoint: { ...at(event.position), parked }, park: event }));

    it('has no checkpoint before a build has begun on a partition, nor for another partition', async () => {
      const place = await begun();
      expect(await harness.database.checkpoint(place)).toBeUndefined();
      await harness.database.transact(place, async ({ checkpoint }) => {
        expect(checkpoint).toBeUndefined();
        return { checkpoint: at(1) };
      });
      expect(await harness.database.checkpoint({ ...place, partition: 1 })).toBeUndefined();
      expect(await harness.database.checkpoint({ ...place, build: `${place.build}.r2` })).toBeUndefined();
    });

    it('has rows and checkpoint as they were committed, with the last event and without', async () => {
      const place = await begun();
      const checkpoints: Checkpoint[] = [
        { position: 3, replayTo: 7, parked: 0, last: 'digest-3' },
        { position: 2 ** 40, replayTo: 7, parked: 2 },
      ];
      for (const checkpoint of checkpoints) {
        await harness.database.transact(place, async ({ handle }) => {
          await harness.put(handle, 'a', checkpoint.position);
          return { checkpoint };
        });
        expect(await harness.database.checkpoint(place)).toEqual(checkpoint);
        expect(await rows(place)).toEqual({ a: checkpoint.position });
      }
      await harness.database.transact(place, async ({ checkpoint }) => {
        expect(checkpoint).toEqual(checkpoints[1]);
        return undefined;
      });
    });

    it('takes everything back when the work throws, with its error, and when it answers nothing', async () => {
      const place = await begun();
      await harness.database.transact(place, async () => ({ checkpoint: at(1) }));
      const failing = harness.database.transact(place, async ({ handle }) => {
        await harness.put(handle, 'a', 1);
        throw new RangeError('no such thing');
      });
      await expect(failing).rejects.toThrow(new RangeError('no such thing'));
      await harness.database.transact(place, async ({ handle }) => {
        await harness.put(handle, 'b', 1);
        return undefined;
      });
      expect(await rows(place)).toEqual({});
      expect(await harness.database.checkpoint(place)).toEqual(at(1));
    });

    it('runs transactions of one place one after the other, from whatever process', async () => {
      const place = await begun();
      const { database, other = database } = harness;
      const count = (by: ViewDatabase<Handle>) =>
        by.transact(place, async ({ handle, checkpoint }) => {
          const { n = 0 } = await harness.rows(handle);
          await harness.put(handle, 'n', n + 1);
          return { checkpoint: at((checkpoint?.position ?? 0) + 1) };
        });
      await Promise.all(Array.from({ length: 30 }, (_, i) => count(i % 2 ? other : database)));
      expect(await rows(place)).toEqual({ n: 30 });
      expect(await database.checkpoint(place)).toEqual(at(30));
    }, 60_000);

    it('shows rows of a transaction to nobody before it is committed', async () => {
      const place = await begun();
      await harness.database.transact(place, async ({ handle }) => {
        await harness.put(handle, 'a', 1);
        expect(await rows(place)).toEqual({});
        expect(await harness.database.checkpoint(place)).toBeUndefined();
        return { checkpoint: at(1) };
      });
      expect(await rows(place)).toEqual({ a: 1 });
    });

    it('keeps the rows of builds apart', async () => {
      const [one, two] = [await begun(), await begun()];
      for (const [place, value] of [
        [one, 1],
        [two, 2],
      ] as const) {
        // prettier-ignore
        await harness.database.transact(place, async ({ handle }) => {
          await harness.put(handle, 'a', value);
          return { checkpoint: at(value) };
        });
      }
      expect(await rows(one)).toEqual({ a: 1 });
      expect(await rows(two)).toEqual({ a: 2 });
    });

    it('begins a build once, however many do', async () => {
      const place = freshPlace();
      const { database, other = database } = harness;
      let made = 0;
      const begin = (by: ViewDatabase<Handle>) =>
        by.begin(place, async (handle) => {
          made++;
          await harness.create(handle);
        });
      await Promise.all([begin(database), begin(other), begin(database), begin(other)]);
      expect(made).toBe(1);
      expect(await rows(place)).toEqual({});
    });

    it('begins a build later that could not be begun', async () => {
      const place = freshPlace();
      const failing = harness.database.begin(place, () => Promise.reject(new RangeError('not now')));
      await expect(failing).rejects.toThrow('not now');
      await harness.database.begin(place, (handle) => harness.create(handle));
      expect(await rows(place)).toEqual({});
    });

    it('notes parked events with the checkpoint, replaces a note, and forgets it', async () => {
      const place = await begun();
      const second = { ...place, partition: 1 };
      await park(second, noted(second, 4));
      await park(place, noted(place, 12));
      await park(place, noted(place, 7), 2);
      const positions = async () =>
        (await harness.database.parked(place)).map(({ partition, position }) => [partition.index, position]);
      expect(await positions()).toEqual([[0, 7], [0, 12], [1, 4]]); // prettier-ignore
      await park(place, noted(place, 7, { attempts: 4 }), 2);
      await harness.database.transact(place, async ({ parked, checkpoint }) => {
        expect(await parked(7)).toEqual(noted(place, 7, { attempts: 4 }));
        expect(await parked(8)).toBeUndefined();
        return { checkpoint: { ...checkpoint!, parked: 1 }, unpark: 7 };
      });
      expect(await positions()).toEqual([[0, 12], [1, 4]]); // prettier-ignore
      expect(await harness.database.checkpoint(place)).toMatchObject({ parked: 1 });
    });

    it('drops rows and notes of a build, and says to who still runs it that it is removed', async () => {
      const place = await begun();
      const kept = await begun();
      await park(place, noted(place, 1));
      for (let times = 0; times < 2; times++) await harness.database.drop(place, 2);
      expect(await harness.database.parked(place)).toEqual([]);
      for (const partition of [0, 1]) {
        expect(await harness.database.checkpoint({ ...place, partition })).toMatchObject({
          position: 0,
          removed: true,
        });
      }
      await harness.database.transact(place, async ({ checkpoint }) => {
        expect(checkpoint).toMatchObject({ removed: true });
        return undefined;
      });
      expect(await rows(kept)).toEqual({});
    });
  });
}

function at(position: number): Checkpoint {
  return { position, replayTo: 0, parked: 0 };
}

function freshPlace(): ViewPlace {
  return { context: 'work', build: `numbers-${randomUUID().slice(0, 8)}.v1`, partition: 0 };
}
