/** In a process started with `--import` of this file, `ioredis` is the file named by MILLRACE_IOREDIS. */
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';

const url = pathToFileURL(process.env.MILLRACE_IOREDIS).href;
const hook = `export const resolve = (name, context, next) =>
  name === 'ioredis' ? { url: ${JSON.stringify(url)}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
