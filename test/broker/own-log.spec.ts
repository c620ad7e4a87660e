import { ownLog, Subscriber, Subscriptions } from '@millrace/broker';
import { eventually, onTestFinished } from '../support/redis.js';
import { SITES } from '../support/site.js';

describe.each(SITES)('the own log of a group on %s', (_name, open) => {
  it('is read beside the inbox by that group alone, and what is left of it by the next process', async () => {
    const site = await open({ partitions: 2 });
    const seen: string[] = [];
    const start = async (group: string | undefined, broken = false) => {
      const subscriptions = new Subscriptions(site.context);
      subscriptions.add({
        name: group ?? 'main',
        type: 'work.do',
        context: site.context,
        log: 'in',
        ...(group === undefined ? {} : { group }),
        handle: (data) => {
          if (broken) throw new Error('not yet');
          seen.push(`${group ?? 'main'} ${(data as { n: number }).n}`);
        },
      });
      const subscriber = new Subscriber(site.broker, subscriptions, {
        blockMs: 50,
        retry: { delayMs: 50, factor: 1, attempts: 1_000 },
      });
      onTestFinished(() => subscriber.stop());
      await subscriber.start();
      return subscriber;
    };
    const own = (group: string) => ({ partition: { context: site.context, index: 1 }, log: ownLog(group) });
    const say = (n: number, group: string) =>
      site.writeTo(own(group), ['type', 'work.do', 'data', JSON.stringify({ n })]);
    await start(undefined);
    const former = await start('mailer', true);
    await say(1, 'work.mailer');
    await eventually(async () => {
      const [entry] = await site.store.readPending(own('work.mailer'), 'work.mailer', '0', 1);
      expect(entry?.retry).toMatchObject({ error: 'not yet' });
    });
    await former.stop();
    await start('mailer');
    await say(2, 'work');
    await eventually(() => expect(seen.sort()).toEqual(['mailer 1', 'main 2']));
    for (const group of ['work', 'work.mailer']) {
      await eventually(async () =>
        expect(await site.store.backlog(own(group), group)).toEqual({ pending: 0, waiting: 0 }),
      );
    }
  });
});
