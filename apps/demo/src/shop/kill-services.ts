import { Random } from '../customer/random.js';
import { pause } from './http.js';
import type { ServiceName, Shop } from './shop.js';

/**
 * Kills a random service every second and has it started again, until it is told that it is enough.
 *
 * @returns how often
 */
export async function killServices(
  shop: Shop,
  seed: number,
  enough: () => boolean,
  onKill: (service: ServiceName) => void,
  everyMs = 1000,
): Promise<number> {
  const random = new Random(seed);
  let kills = 0;
  for (;;) {
    await pause(everyMs);
    if (enough()) return kills;
    const candidates = shop.killable();
    if (candidates.length === 0) continue;
    const victim = random.pick(candidates);
    shop.kill(victim);
    kills++;
    onKill(victim);
  }
}
