import { ConfigurationError } from '@millrace/broker';
import type { ViewDatabase } from './view-database.js';

/**
 * A projection whose rows stand in another database than the events. Its methods write with the handle of that database's
 * transaction; the same transaction moves the checkpoint, so each event changes the rows exactly once.
 *
 * Extend the class of an adapter (`PostgresProjection`), or this one with a {@link ViewDatabase} of your own.
 *
 * @typeParam Handle what the methods take as their second argument
 */
export abstract class ExternalProjection<Handle> {
  /**
   * @param database where the rows stand
   * @throws ConfigurationError without one
   */
  constructor(readonly database: ViewDatabase<Handle>) {
    if (typeof (database as ViewDatabase<Handle> | undefined)?.transact === 'function') return;
    throw new ConfigurationError(`projection ${new.target.name} has no database: give its constructor's super() one`);
  }

  /**
   * Makes what the rows of a build stand in, e.g. its tables: once for each build, before its first event, in one
   * transaction.
   */
  abstract create(handle: Handle): Promise<void> | void;
}

/** What the methods of a projection are given to write with. */
export type HandleOf<Type, Otherwise> = Type extends ExternalProjection<infer Handle> ? Handle : Otherwise;

export function isExternal(type: { readonly prototype: unknown }): boolean {
  return type.prototype instanceof ExternalProjection;
}
