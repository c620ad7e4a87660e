import { MessageError } from '../message-error.js';

/**
 * Loads a package that only those need who do this.
 *
 * @throws MessageError `no-json-schema`, when it is not installed
 */
export async function optionalPackage<T>(name: string, forWhat: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new MessageError('no-json-schema', `${forWhat} needs the package ${name}: npm install ${name}`);
  }
}
