import { join } from 'node:path';
import { jest } from './jest.mjs';
import { npmProject } from './npm-project.mjs';
import { NEST } from './specs.mjs';

const NESTS = ['common', 'core', 'microservices', 'platform-express', 'swagger', 'terminus', 'testing'];
const OTHERS = [
  'ioredis@^5.9',
  'rxjs@^7.8',
  'reflect-metadata@^0.2',
  'class-validator@^0.15',
  'class-transformer@^0.5',
];

/** The specs of whatever leans on Nest, with the oldest one that the libraries allow and the client of its time. */
export function nestSpecLegs({ folder, short }) {
  if (short) return [];
  return [
    {
      name: 'Nest 11, ioredis 5',
      run: () => {
        const nests = NESTS.map((name) => `@nestjs/${name}@^11`);
        const project = npmProject(join(folder, 'nest-11-specs'), [...nests, ...OTHERS]);
        const result = jest(NEST, { MILLRACE_INSTEAD: project.modules }, folder);
        return { ...result, summary: `${project.versionOf('@nestjs/core')}: ${result.summary}` };
      },
    },
  ];
}
