import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresProjection, Projection, Projects } from '@millrace/event-store';
import { Event } from '@millrace/messages';

export class Counted {}
Event('work.counted', { key: 'key' })(Counted);

/** The numbers of each key in the order in which they came, in PostgreSQL. Slowly: one in four takes a moment. */
export class NumbersTable extends PostgresProjection {
  async create(db) {
    await db.query('CREATE TABLE numbers (key text PRIMARY KEY, version integer NOT NULL, numbers integer[] NOT NULL)');
  }

  async counted({ key, n }, db) {
    if (n % 4 === 0) await sleep(1);
    await db.query(
      `INSERT INTO numbers VALUES ($1, $3, ARRAY[$2::integer])
       ON CONFLICT (key) DO UPDATE SET numbers = numbers.numbers || $2::integer`,
      [key, n, this.version],
    );
  }
}
const { prototype } = NumbersTable;
Projects(Counted)(prototype, 'counted', Object.getOwnPropertyDescriptor(prototype, 'counted'));

/** @param version of the projection */
export function numbersOf(version) {
  class Versioned extends NumbersTable {
    version = version;
  }
  Projection('numbers', { version })(Versioned);
  return Versioned;
}
