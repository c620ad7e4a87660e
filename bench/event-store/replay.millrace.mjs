/** A projection that begins with the first event: its rows and its checkpoint are written with each batch. */
import { setTimeout as wait } from 'node:timers/promises';
import { ProjectionRunner } from '@millrace/event-store';
import { ready } from '../child.mjs';
import { freshProjection, openBroker } from './model.mjs';

/** How often its places are looked at, in this process, ms. */
const LOOK_MS = 2;

await ready(async (setting) => {
  const broker = await openBroker(setting);
  let replays = 0;
  return {
    handle: async (events) => {
      const Totals = freshProjection(`totals-${++replays}`, setting.rows);
      let failed;
      const runner = new ProjectionRunner(broker, Totals, new Totals(), { failed: (status) => (failed = status) });
      runner.start();
      const done = () => runner.status().reduce((sum, { position }) => sum + position, 0);
      while (done() < events && !failed) await wait(LOOK_MS);
      await runner.stop();
      if (failed) throw failed.failure.error;
    },
    close: () => broker.store.close(),
  };
});
