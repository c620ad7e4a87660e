import { createReadStream, createWriteStream } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exportContext, ExportError, importContext, placeOf } from '../core/export/index.js';
import type { ExportPlace } from '../core/export/index.js';
import { withBar, withStore } from './command-store.js';
import type { StoreTarget } from './command-store.js';

/** Where the commands find their store, and the file, if there is one. */
export interface TransferTarget extends StoreTarget {
  readonly file: string | undefined;
}

/** `millrace export`: to a file, where one that broke off goes on, or to standard output. */
export async function runExport(target: TransferTarget, context: string): Promise<void> {
  const { file } = target;
  const from = file === undefined ? undefined : await placeIn(file);
  if (from?.complete) throw new ExportError(0, `${file} is a whole export already: give another file`);
  await withStore(target, (store) =>
    withBar(`export ${context}`, async (onProgress) => {
      const blocks = Readable.from(exportContext(store, context, { ...(from ? { from } : {}), onProgress }), {
        objectMode: true,
        highWaterMark: 1,
      });
      if (file === undefined) return pipeline(blocks, process.stdout, { end: false });
      return pipeline(blocks, createWriteStream(file, { flags: 'a', flush: true }));
    }),
  );
}

/** `millrace import`: from a file or from standard input. */
export async function runImport(target: TransferTarget): Promise<void> {
  const { file } = target;
  await withStore(target, (store) =>
    withBar('import', async (onProgress) => {
      const input = file === undefined ? process.stdin : createReadStream(file);
      const { context, partitions, events, present } = await importContext(store, input, { onProgress });
      const before = present > 0 ? `, ${present} were there` : '';
      console.error(`context '${context}': ${events} events written to ${partitions} partitions${before}`);
    }),
  );
}

/** How far the file is an export already; what is no whole block is cut off. */
async function placeIn(file: string): Promise<ExportPlace | undefined> {
  try {
    const place = await placeOf(createReadStream(file));
    await truncate(file, place?.bytes ?? 0);
    return place;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
}
