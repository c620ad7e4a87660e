import type { PoolClient } from 'pg';
import { Pool } from 'pg';
import { PostgresProjection } from '../postgres/postgres-projection.js';
import { PostgresViews } from '../postgres/postgres-views.js';
import { ExternalView } from './external-view.js';
import { Projects } from './projection.js';
import type { View } from './view.js';

class Sold {
  constructor(readonly pieces: number) {}
}

export class Sales extends PostgresProjection<PoolClient> {
  constructor() {
    super(new Pool());
  }

  async create(db: PoolClient): Promise<void> {
    await db.query('CREATE TABLE sales (pieces integer)');
  }

  @Projects(Sold) async sold({ pieces }: Sold, db: PoolClient): Promise<void> {
    await db.query('INSERT INTO sales VALUES ($1)', [pieces]);
  }

  // @ts-expect-error: its methods write with the client, there is no view
  @Projects(Sold) inView(_event: Sold, view: View<number>): void {
    view.put('all', 1);
  }

  // @ts-expect-error: the event is the one of the decorator
  @Projects(Sold) other(_event: { price: number }, _db: PoolClient): void {}
}

// @ts-expect-error: a table has to be made
export class WithoutTables extends PostgresProjection<PoolClient> {}

export class Rows {
  @Projects(Sold) sold(_event: Sold, view: View<number>): void {
    view.put('all', 1);
  }

  // @ts-expect-error: a projection that is not external has no client
  @Projects(Sold) inTable(_event: Sold, _db: PoolClient): void {}
}

export function read(view: ExternalView<PoolClient>): Promise<number | undefined> {
  return view.read(async (db) => (await db.query<{ pieces: number }>('SELECT pieces FROM sales')).rows[0]?.pieces);
}

// @ts-expect-error: a pool gives connections
export const nowhere = new PostgresViews({ query: () => undefined });
