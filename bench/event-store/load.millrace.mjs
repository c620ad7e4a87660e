/** Loads aggregates through a repository. */
import { Repository } from '@millrace/event-store';
import { ready } from '../child.mjs';
import { fill } from './fill.mjs';
import { inFlight } from './in-flight.mjs';
import { Customer, openBroker } from './model.mjs';

await ready(async (setting) => {
  const { streams, length, readers } = setting;
  const broker = await openBroker(setting);
  await fill(broker, setting);
  const customers = new Repository(broker, Customer);
  const load = async (n) => {
    const { orders } = await customers.load(String(n % streams));
    if (orders !== length) throw new Error(`${orders} events instead of ${length}`);
  };
  return { handle: (loads) => inFlight(readers, loads, load), close: () => broker.store.close() };
});
