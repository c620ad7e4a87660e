import { Injectable } from '@nestjs/common';
import type { Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BrokerModule, Handles, On, Publisher, Subscriber } from '@millrace/broker';
import type { GroupOptions } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';
import { eventually, onTestFinished } from '../support/redis.js';
import { redisStore } from '../support/store.js';

@Event('desk.asked')
class Asked {}

@Event('desk.left')
class Left {}

@Reply('desk.answered')
class Answered {}

@Command('desk.ask')
class Ask extends Command<Answered> {}

let most = 0;
let running = 0;
async function work(): Promise<void> {
  most = Math.max(most, ++running);
  await new Promise((resolve) => setTimeout(resolve, 20));
  running--;
}
beforeEach(() => {
  most = 0;
});

async function start(
  providers: Provider[],
  groups: Readonly<Record<string, GroupOptions>> = {},
  defaults: GroupOptions = {},
) {
  const store = await redisStore();
  const root = BrokerModule.forRoot({ context: 'desk', partitions: 1, store, groups, ...defaults });
  const module = await Test.createTestingModule({ imports: [root], providers }).compile();
  await module.init();
  onTestFinished(() => module.close());
  return module;
}

@Injectable()
class Mailer {
  @On(Asked, { group: 'mailer', concurrency: 2 }) asked(): Promise<void> {
    return work();
  }
}

@Injectable()
class Plain {
  @On(Asked, { group: 'mailer' }) asked(): Promise<void> {
    return work();
  }
}

describe('options of a group', () => {
  const burst = async (module: Awaited<ReturnType<typeof start>>): Promise<void> => {
    const publisher = module.get(Publisher);
    for (let i = 0; i < 12; i++) await publisher.publish(new Asked());
  };

  it('on a handler win over those of the module', async () => {
    await burst(await start([Mailer], { mailer: { concurrency: 9 } }, { concurrency: 9 }));
    await eventually(() => expect(most).toBe(2));
  });

  it('by name win over those for all', async () => {
    await burst(await start([Plain], { mailer: { concurrency: 3 } }, { concurrency: 9 }));
    await eventually(() => expect(most).toBe(3));
  });

  it('are given by the full name of the group, too, but not by both', async () => {
    await burst(await start([Plain], { 'desk.mailer': { concurrency: 3 } }, { concurrency: 9 }));
    await eventually(() => expect(most).toBe(3));
    await expect(start([Mailer], { mailer: {}, 'desk.mailer': {} })).rejects.toThrow('to one group twice');
  });

  it('that differ between two handlers are refused at start, naming both', async () => {
    @Injectable()
    class Other {
      @On(Left, { group: 'mailer', concurrency: 5 }) left(): void {
        // Never called.
      }
    }
    await expect(start([Mailer, Other])).rejects.toThrow(
      "group 'mailer' has concurrency: 2 at Mailer.asked and 5 at Other.left",
    );
  });

  it('are checked at start, wherever they stand', async () => {
    expect(() => Handles(Ask, { prefetch: 0 })).toThrow('@Handles(Ask) has prefetch: 0; it must be an integer');
    await expect(start([Mailer], { mailer: { prefetch: 0 } })).rejects.toThrow('has groups.mailer.prefetch: 0');
    await expect(start([Mailer], { mail: {} })).rejects.toThrow("write one of 'mailer'");
    const both: GroupOptions = { ordering: 'none', onFailure: 'park-key' };
    await expect(start([Mailer], { mailer: both })).rejects.toThrow('without order nothing waits behind a message');
  });

  it('hold for the subscriber that is injected: a group is paused by the name its handlers write', async () => {
    const module = await start([Mailer]);
    module.get(Subscriber).pause('mailer');
    await burst(module);
    expect(most).toBe(0);
    module.get(Subscriber).resume('mailer');
    await eventually(() => expect(most).toBe(2));
  });
});
