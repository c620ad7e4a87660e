import { median } from '../figures.mjs';
import { privateRedis } from '../redis.mjs';
import { report } from './report.mjs';
import { ofAct, round, turns } from './rounds.mjs';
import { CASES, LEAST, MILLRACE, SAME_TRAFFIC } from './sides.mjs';

/** Part of a round's sagas that run alone, one after the other. */
export const ALONE = 0.05;
/** Of a round at half load. */
const SECONDS = 5;

const SIDES = [LEAST, SAME_TRAFFIC, MILLRACE];

/** Sagas whose steps other processes do, beside the least by hand that works, and beside the same traffic by hand; A B C A B C on one Redis. */
export async function byMessages({ json, sagas, inFlight, rounds, fsync, only }) {
  const redis = await privateRedis(fsync);
  console.error(`${redis.description}, ${sagas} sagas a round, ${inFlight} in flight, ${rounds} rounds of each side\n`);
  try {
    for (const { name, setting } of CASES.filter((each) => each.name.includes(only ?? ''))) {
      const inTurn = (acts, what) =>
        turns(
          `${name}; ${what}`,
          rounds,
          SIDES.map((side) => ({ ...side, measure: () => round(redis, side, setting, acts) })),
        );
      const each = await inTurn(
        [
          { sagas: Math.ceil(sagas * ALONE), inFlight: 1 },
          { sagas, inFlight },
        ],
        'full load',
      );
      const full = ofAct(each, 1);
      const rates = SIDES.map((_, side) => median(full.map((figures) => figures[side].rate)));
      const perSecond = Math.round(Math.min(...rates) / 2);
      const half = await inTurn([{ sagas: Math.min(sagas, perSecond * SECONDS), perSecond }], 'half load');
      const loads = { alone: ofAct(each, 0), [`half load, ${perSecond}/s`]: ofAct(half, 0), 'full load': full };
      report({ name, titles: SIDES.map(({ title }) => title), full, loads, inFlight, json });
    }
  } finally {
    await redis.stop();
  }
}
