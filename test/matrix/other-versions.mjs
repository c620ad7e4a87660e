/** A process started with `--import` of this file has the modules of `instead`, as Jest has by its configuration. */
import { register } from 'node:module';
import { join } from 'node:path';
import { instead } from './instead.mjs';

const { folder, pattern } = instead();
const hook = `
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
const { resolve: find } = createRequire(${JSON.stringify(join(folder, 'from-here.js'))});
export const resolve = (name, context, next) =>
  ${new RegExp(pattern)}.test(name) ? { url: pathToFileURL(find(name)).href, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
