import { delimiter } from 'node:path';
import { jest } from './jest.mjs';
import { findServers, folderOf, WANTED } from './servers.mjs';
import { SHORT, STORES_AND_CONSUMING } from './specs.mjs';

/** Stores and consuming on every server found; the wanted ones that are missing are named. */
export function serverLegs({ folder, short }) {
  const servers = findServers();
  const missing = WANTED.filter((wanted) => !servers.some(({ name }) => name.startsWith(`${wanted}.`)));
  return [
    ...servers.map((server) => ({
      name: server.name,
      ...(short && server.isPlain ? { skipped: 'that of a plain `npm test`' } : {}),
      run: () => {
        const PATH = `${folderOf(server, folder)}${delimiter}${process.env.PATH}`;
        return jest(short ? SHORT : STORES_AND_CONSUMING, { PATH }, folder);
      },
    })),
    ...missing.map((name) => ({
      name,
      skipped: 'not on this machine; put its server on the PATH, or name the file in MILLRACE_SERVERS',
    })),
  ];
}
