/** The event store, used without Nest. */
import { ready } from '../child.mjs';
import { appendTo } from './append-to.mjs';
import { openBroker } from './model.mjs';
import { writers } from './writers.mjs';

await ready(async (setting) => {
  const broker = await openBroker(setting);
  return {
    handle: writers(setting, appendTo(broker, setting.events, setting.chain)),
    close: () => broker.store.close(),
  };
});
