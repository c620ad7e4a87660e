import { installed } from '../install.mjs';
import { privatePostgres } from '../postgres.mjs';
import { privateRedis } from '../redis.mjs';
import { ALONE } from './by-messages.mjs';
import { report } from './report.mjs';
import { privateRestate } from './restate-server.mjs';
import { ofAct, round, turns } from './rounds.mjs';
import { CASES, DBOS, here, LOCAL_MILLRACE, RESTATE } from './sides.mjs';

const PEERS = {
  restate: { side: RESTATE, server: privateRestate },
  dbos: { side: DBOS, server: privatePostgres },
};

/** Part of Millrace's sagas that the peer does in a round, which would last for ever otherwise. */
const SHARE = 0.1;

/** Sagas with local, durable steps, beside the same of a peer; Millrace once with each durability. */
export async function againstPeer(against, { json, sagas, inFlight, rounds, only }) {
  const { side, server: open } = PEERS[against];
  await installed(here(against));
  const server = await open();
  try {
    for (const fsync of ['everysec', 'always']) {
      const redis = await privateRedis(fsync);
      console.error(
        `${redis.description}; ${server.description}; ${inFlight} in flight, ${rounds} rounds of each side\n`,
      );
      try {
        for (const { name, setting } of CASES.filter((each) => each.name.includes(only ?? ''))) {
          const acts = (all) => [
            { sagas: Math.ceil(all * ALONE), inFlight: 1 },
            { sagas: all, inFlight },
          ];
          const sides = [
            { ...side, measure: () => round(server, side, setting, acts(Math.ceil(sagas * SHARE))) },
            { ...LOCAL_MILLRACE, measure: () => round(redis, LOCAL_MILLRACE, setting, acts(sagas)) },
          ];
          const title = `${name}, local, ${fsync}`;
          const pairs = await turns(title, rounds, sides);
          const [alone, full] = [0, 1].map((act) => ofAct(pairs, act));
          const titles = sides.map((each) => each.title);
          report({ name: title, titles, full, loads: { alone, 'full load': full }, inFlight, json });
        }
      } finally {
        await redis.stop();
      }
    }
  } finally {
    await server.stop();
  }
}
