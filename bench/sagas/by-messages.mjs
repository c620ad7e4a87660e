import { median } from '../figures.mjs';
import { privateRedis } from '../redis.mjs';
import { report } from './report.mjs';
import { ofAct, round, turns } from './rounds.mjs';
import { BY_HAND, CASES, MILLRACE } from './sides.mjs';

/** Part of a round's sagas that run alone, one after the other. */
export const ALONE = 0.05;
/** Of a round at half load. */
const SECONDS = 5;

/** Sagas whose steps other processes do, beside the same by hand; A B A B on one Redis. */
export async function byMessages({ json, sagas, inFlight, rounds, fsync, only }) {
  const redis = await privateRedis(fsync);
  console.error(`${redis.description}, ${sagas} sagas a round, ${inFlight} in flight, ${rounds} rounds of each side\n`);
  try {
    for (const { name, setting } of CASES.filter((each) => each.name.includes(only ?? ''))) {
      const inTurn = (acts, what) =>
        turns(
          `${name}; ${what}`,
          rounds,
          [BY_HAND, MILLRACE].map((side) => ({ ...side, measure: () => round(redis, side, setting, acts) })),
        );
      const pairs = await inTurn(
        [
          { sagas: Math.ceil(sagas * ALONE), inFlight: 1 },
          { sagas, inFlight },
        ],
        'full load',
      );
      const full = ofAct(pairs, 1);
      const perSecond = Math.round(Math.min(...[0, 1].map((side) => median(full.map((pair) => pair[side].rate)))) / 2);
      const half = await inTurn([{ sagas: Math.min(sagas, perSecond * SECONDS), perSecond }], 'half load');
      const loads = { alone: ofAct(pairs, 0), [`half load, ${perSecond}/s`]: ofAct(half, 0), 'full load': full };
      report({ name, titles: [BY_HAND.title, MILLRACE.title], full, loads, inFlight, json });
    }
  } finally {
    await redis.stop();
  }
}
