import { inspect } from 'node:util';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MessageError } from './message-error.js';

/** Where a class made by `Schema()` keeps its schema; inherited by the class that is decorated. */
export const SCHEMA: unique symbol = Symbol.for('millrace:schema');

/** The schema that describes the data of a class, if one does. */
export function schemaOf(type: object): StandardSchemaV1<unknown, object> | undefined {
  return (type as { readonly [SCHEMA]?: StandardSchemaV1<unknown, object> })[SCHEMA];
}

/** @throws MessageError `invalid-type` for what is no Standard Schema of version 1 */
export function checkStandard(schema: unknown): void {
  const { version, validate } = (Object(schema) as Partial<StandardSchemaV1>)['~standard'] ?? {};
  if (version === 1 && typeof validate === 'function') return;
  throw new MessageError(
    'invalid-type',
    `Schema(${inspect(schema, { depth: 0 })}) takes a schema by Standard Schema 1, such as z.object({ ... }) of Zod 3.24 or later`,
  );
}

/**
 * What a schema makes of data: defaults filled in, unknown properties treated as it says.
 *
 * @param type of the message, for the error
 * @param contract the class that is being made, for the error
 * @param excused whether what is wrong at a path does not count: when nothing else is, the data are given back as they are
 * @throws MessageError `invalid-data` that names every wrong field and the reason; `async-schema`
 */
export function parseBySchema(
  schema: StandardSchemaV1<unknown, object>,
  type: string,
  data: unknown,
  contract?: object,
  excused?: (path: readonly string[]) => boolean,
): object {
  let result: ReturnType<(typeof schema)['~standard']['validate']>;
  try {
    result = schema['~standard'].validate(data);
  } catch (cause) {
    throw new MessageError('invalid-data', `${type}: its schema threw: ${(cause as Error).message}`, {
      cause,
      contract,
    });
  }
  if (isPromise(result)) throw asynchronous(type, result);
  if (result.issues && excused && result.issues.every((issue) => excused(pathOf(issue)))) return data as object;
  if (result.issues) throw new MessageError('invalid-data', `${type}: ${explain(result.issues)}`, { contract });
  return result.value;
}

/**
 * Refuses a schema that answers with a promise for data without properties. One that does so for good data only is found
 * out by the first message.
 *
 * @throws MessageError `async-schema`
 */
export function checkSynchronous(schema: StandardSchemaV1, type: string): void {
  let result: unknown;
  try {
    result = schema['~standard'].validate({});
  } catch {
    return;
  }
  if (isPromise(result)) throw asynchronous(type, result);
}

function asynchronous(type: string, result: Promise<unknown>): MessageError {
  result.catch(() => undefined);
  return new MessageError(
    'async-schema',
    `the schema of ${type} is asynchronous, or a check of it threw: a message is checked at once; ` +
      `ask others about it in the handler`,
  );
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** One sentence per wrong field, with its path: `lines.0.quantity: Too small: expected number to be >=1`. */
function explain(issues: readonly StandardSchemaV1.Issue[]): string {
  return issues
    .map((issue) => {
      const { message } = issue;
      const where = pathOf(issue).join('.');
      return where === '' || message.startsWith(where) ? message : `${where}: ${message}`;
    })
    .join('; ');
}

function pathOf({ path = [] }: StandardSchemaV1.Issue): string[] {
  return Array.from(path, (part) => String(typeof part === 'object' ? part.key : part));
}
