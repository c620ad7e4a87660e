import { fileURLToPath } from 'node:url';

export const here = (file) => fileURLToPath(new URL(file, import.meta.url));

const LENGTH = 100;

/**
 * What is compared with hand-written code.
 *
 * @param url of the private Redis
 * @param events of the replay; the other cases get the part of them that takes about as long
 */
export function cases(url, events) {
  const share = (of) => Math.ceil(events / of);
  // At the default twice as many events as a repository remembers: each load reads them.
  const streams = share(1000);
  const setting = (side, more) => ({ url, namespace: `bench-${side}`, ...more });
  const append = (name, count, width, scale, more = {}) => ({
    name,
    unit: 'events/s',
    count,
    scale,
    theirs: { title: 'EVALSHA', file: here('append.by-hand.mjs'), setting: by({ writers: width, events: scale }) },
    millrace: { file: here('append.millrace.mjs'), setting: ours({ writers: width, events: scale, ...more }) },
  });
  const by = (more) => setting('by-hand', more);
  const ours = (more) => setting('millrace', more);
  const load = (name, layout, title) => ({
    name,
    unit: 'loads/s',
    count: share(100),
    theirs: {
      title,
      file: here('load.by-hand.mjs'),
      setting: by({ layout, streams, length: LENGTH, readers: 16 }),
    },
    millrace: { file: here('load.millrace.mjs'), setting: ours({ streams, length: LENGTH, readers: 16 }) },
  });
  const replay = (name, rows) => ({
    name,
    unit: 'events/s',
    fill: { namespace: 'bench-millrace', streams: share(LENGTH), length: LENGTH },
    count: share(LENGTH) * LENGTH,
    warmUp: 1,
    theirs: { title: 'XRANGE loop', file: here('replay.by-hand.mjs'), setting: by({ rows }) },
    millrace: { file: here('replay.millrace.mjs'), setting: ours({ rows }) },
  });
  return [
    append('append 1 event, expected version; 100 writers', share(20), 100, 1),
    append('append 10 events, expected version; 100 writers', share(100), 100, 10),
    append('append 1 event, expected version, chained; 100 writers', share(20), 100, 1, { chain: true }),
    load('load an aggregate of 100 events; 16 readers', 'streams', 'XRANGE of a stream each'),
    load('load an aggregate of 100 events, by position; 16 readers', 'positions', 'LRANGE, XRANGE each'),
    replay('replay through a projection; one row of each partition', 1),
    replay('replay through a projection; 1000 rows', 1000),
    replay('replay through a projection; 100000 rows', 100_000),
  ];
}
