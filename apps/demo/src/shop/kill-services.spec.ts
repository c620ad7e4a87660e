import { killServices } from './kill-services.js';
import type { ServiceName, Shop } from './shop.js';

/** A shop whose killed services stay down until two others were killed. */
function shopOf(killed: ServiceName[]): Shop {
  const killable = () =>
    (['catalog', 'order', 'payment', 'orchestrator'] as const).filter((name) => !killed.slice(-2).includes(name));
  return { killable, kill: (name: ServiceName) => killed.push(name) } as unknown as Shop;
}

async function kill(seed: number, times: number): Promise<ServiceName[]> {
  const killed: ServiceName[] = [];
  const told: ServiceName[] = [];
  const kills = await killServices(
    shopOf(killed),
    seed,
    () => killed.length >= times,
    (name) => told.push(name),
    1,
  );
  expect(told).toEqual(killed);
  expect(kills).toBe(times);
  return killed;
}

describe('killing services', () => {
  it('hits all of them, never one that is down', async () => {
    const killed = await kill(1, 40);
    expect(new Set(killed).size).toBe(4);
    killed.forEach((name, at) => expect(killed.slice(Math.max(0, at - 2), at)).not.toContain(name));
  });

  it('is decided by the seed', async () => {
    expect(await kill(7, 20)).toEqual(await kill(7, 20));
    expect(await kill(7, 20)).not.toEqual(await kill(8, 20));
  });

  it('waits while nothing can be killed', async () => {
    let looked = 0;
    const shop = { killable: () => (looked++, []) } as unknown as Shop;
    await expect(
      killServices(
        shop,
        1,
        () => looked > 3,
        () => undefined,
        1,
      ),
    ).resolves.toBe(0);
  });
});
