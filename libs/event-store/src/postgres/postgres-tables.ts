/** `"name"`, whatever is in it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * The statements that make the tables of checkpoints, for migrations. Without them the first service that starts makes the
 * tables, and needs the right to.
 *
 * @param schema as given to the projections. Default `millrace`
 */
export function postgresTables(schema = 'millrace'): string {
  const at = identifier(schema);
  return `
CREATE SCHEMA IF NOT EXISTS ${at};
-- How far a build of a projection is: a row for each partition, and one with partition -1 for the build itself.
CREATE TABLE IF NOT EXISTS ${at}.checkpoints (
  context text NOT NULL,
  build text NOT NULL,
  partition integer NOT NULL,
  position bigint, -- of the last event in the rows; NULL: not begun
  last text,       -- digest of that event
  replay_to bigint NOT NULL DEFAULT 0,
  parked integer NOT NULL DEFAULT 0,
  removed boolean NOT NULL DEFAULT false,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (context, build, partition)
);
-- Events that a build has gone on without.
CREATE TABLE IF NOT EXISTS ${at}.parked (
  context text NOT NULL,
  build text NOT NULL,
  partition integer NOT NULL,
  position bigint NOT NULL,
  event json NOT NULL,
  PRIMARY KEY (context, build, partition, position)
);
`.trimStart();
}
