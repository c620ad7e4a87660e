import { InvalidCursorError } from '@millrace/broker';

/** Where a list of sagas goes on: after this one. */
export interface SagaPlace {
  /** By which it stands in its order, ms since 1970. */
  readonly at: number;
  /** `<saga>/<id>` */
  readonly row: string;
}

/** @param list says which list it is: a cursor is of one */
export function cursorOf(list: string, { at, row }: SagaPlace): string {
  return Buffer.from(JSON.stringify([list, at, row])).toString('base64url');
}

/** @throws InvalidCursorError for a cursor that no page of the list had */
export function placeOf(list: string, cursor: string | undefined): SagaPlace | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [of, at, row, ...more] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (of === list && Number.isSafeInteger(at) && typeof row === 'string' && more.length === 0) {
      return { at: at as number, row };
    }
  } catch {
    // As below.
  }
  throw new InvalidCursorError(String(cursor));
}
