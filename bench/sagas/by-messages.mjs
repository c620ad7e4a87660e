import { median } from '../figures.mjs';
import { privateRedis } from '../redis.mjs';
import { report } from './report.mjs';
import { round } from './rounds.mjs';
import { BY_HAND, CASES, MILLRACE } from './sides.mjs';

/** Part of a round's sagas that run alone, one after the other. */
const ALONE = 0.05;
/** Of a round at half load. */
const SECONDS = 5;

/** Sagas whose steps other processes do, beside the same by hand; A B A B on one Redis. */
export async function byMessages({ json, sagas, inFlight, rounds, fsync, only }) {
  const redis = await privateRedis(fsync);
  console.error(`${redis.description}, ${sagas} sagas a round, ${inFlight} in flight, ${rounds} rounds of each side\n`);
  try {
    for (const { name, setting } of CASES.filter((each) => each.name.includes(only ?? ''))) {
      const acts = [
        { sagas: Math.ceil(sagas * ALONE), inFlight: 1 },
        { sagas, inFlight },
      ];
      const pairs = await turns(rounds, (side) => round(redis, side, setting, acts));
      const [alone, full] = acts.map((_, act) => pairs.map((pair) => pair.map((figures) => figures[act])));
      const perSecond = Math.round(Math.min(...[0, 1].map((side) => median(full.map((pair) => pair[side].rate)))) / 2);
      const half = { sagas: Math.min(sagas, perSecond * SECONDS), perSecond };
      const calm = await turns(rounds, async (side) => (await round(redis, side, setting, [half]))[0]);
      report({ name, alone, full, calm, perSecond, inFlight, json });
    }
  } finally {
    await redis.stop();
  }
}

/** Pairs of what the hand-written side and Millrace answer, in turn. */
async function turns(rounds, measure) {
  const pairs = [];
  for (let i = 0; i < rounds; i++) pairs.push([await measure(BY_HAND), await measure(MILLRACE)]);
  return pairs;
}
