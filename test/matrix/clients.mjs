import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from './jest.mjs';
import { npmInstall } from './npm-install.mjs';

const HOOK = fileURLToPath(new URL('./other-ioredis.mjs', import.meta.url));

/** Stores and consuming with the older client that the libraries allow; the specs of a plain run use the newest. */
export function clientLegs({ folder, short }) {
  return [
    {
      name: 'ioredis 5',
      run: () => {
        const project = join(folder, 'ioredis-5');
        mkdirSync(project);
        writeFileSync(join(project, 'package.json'), '{"private":true}');
        npmInstall(project, ['ioredis@^5.9']);
        const home = join(project, 'node_modules/ioredis');
        const { main, version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
        const env = { MILLRACE_IOREDIS: join(home, main), NODE_OPTIONS: `--import ${HOOK}` };
        const result = jest(short ? ['test/conformance/redis'] : ['test/conformance', 'test/broker'], env, folder);
        return { ...result, summary: `${version}: ${result.summary}` };
      },
    },
  ];
}
