import { findPostgres } from '@millrace/testing';

/** A private PostgreSQL with the settings of initdb: every commit waits for the disk. In a temporary folder. */
export async function privatePostgres() {
  const { url, version, stop } = await findPostgres({ say: (sentence) => console.error(sentence) });
  return {
    url,
    description: `PostgreSQL ${version}, default durability`,
    // Its work is that of many processes.
    cpuSeconds: async () => NaN,
    stop,
  };
}
