import { join } from 'node:path';
import { jest } from './jest.mjs';
import { npmProject } from './npm-project.mjs';
import { SHORT, STORES_AND_CONSUMING } from './specs.mjs';

/** Stores and consuming with the older client that the libraries allow; the specs of a plain run use the newest. */
export function clientLegs({ folder, short }) {
  return [
    {
      name: 'ioredis 5',
      run: () => {
        const project = npmProject(join(folder, 'ioredis-5'), ['ioredis@^5.9']);
        const result = jest(short ? SHORT : STORES_AND_CONSUMING, { MILLRACE_INSTEAD: project.modules }, folder);
        return { ...result, summary: `${project.versionOf('ioredis')}: ${result.summary}` };
      },
    },
  ];
}
