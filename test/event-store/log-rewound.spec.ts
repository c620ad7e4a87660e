import { Broker, Publisher } from '@millrace/broker';
import { Projection, ProjectionRunner, Projects, ReadView } from '@millrace/event-store';
import type { ProjectionStatus, View } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { admin } from '../support/private-redis.js';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { redisStore } from '../support/store.js';

@Event('score.goal', { key: 'team' })
class Goal {
  constructor(
    readonly team: string,
    readonly n: number,
  ) {}
}

@Projection('goals')
class Goals {
  @Projects(Goal)
  async goal({ team, n }: Goal, view: View<number[]>): Promise<void> {
    await view.update(team, (row = []) => [...row, n]);
  }
}

/** A view of five events, whose feed is set back to the first three while nobody looks. */
async function setBack() {
  const namespace = freshNamespace();
  const store = await redisStore(namespace);
  const broker = new Broker(store, { context: 'score', partitions: 2 });
  await broker.declare();
  const publisher = new Publisher(broker);
  const partition = broker.partitionFor('ajax');
  const other = ['basel', 'celtic', 'dynamo'].find((team) => broker.partitionFor(team).index !== partition.index)!;
  const view = new ReadView<number[]>(broker, Goals);
  const redis = admin(redisUrl());
  await redis.connect();
  const feed = `{${namespace}:score:${partition.index}}:feed`;
  const publish = async (...numbers: number[]) => {
    for (const n of numbers) await publisher.publish(new Goal('ajax', n));
  };
  const run = async () => {
    const failures: ProjectionStatus[] = [];
    const runner = new ProjectionRunner(broker, Goals, new Goals(), { failed: (status) => failures.push(status) });
    onTestFinished(() => runner.stop());
    runner.start();
    return { runner, failures };
  };

  await publish(1, 2, 3);
  const backup = await redis.dumpBuffer(feed);
  const first = await run();
  await publish(4, 5);
  await eventually(async () => expect(await view.get('ajax')).toEqual([1, 2, 3, 4, 5]));
  await first.runner.stop();
  const whole = await redis.dumpBuffer(feed);
  await redis.restore(feed, 0, backup, 'REPLACE');
  const restore = () => redis.restore(feed, 0, whole, 'REPLACE');
  return { partition, other, publish, publisher, restore, view, run };
}

describe('a projection whose feed was set back', () => {
  it('stops with what has happened and what to do, and keeps no other partition waiting', async () => {
    const { partition, other, publisher, view, run } = await setBack();
    const { runner, failures } = await run();
    await eventually(() => expect(failures.length).toBeGreaterThan(1));
    expect(failures[0]).toMatchObject({
      partition,
      failure: { position: 5, error: { code: 'log-rewound', position: 5, head: 3 } },
    });
    expect(failures[0]!.failure!.error.message).toMatch(
      /has had score\/\d position 5, and the feed ends at 3: .*rebuild/,
    );
    await publisher.publish(new Goal(other, 1));
    await eventually(async () => expect(await view.get(other)).toEqual([1]));
    expect(runner.status().filter(({ failure }) => failure)).toHaveLength(1);
  });

  it('does not go on silently when the feed has grown past it again, with other events', async () => {
    const { publish, view, run } = await setBack();
    await publish(40, 50, 60);
    const { failures } = await run();
    await eventually(() => expect(failures.length).toBeGreaterThan(1));
    expect(failures[0]!.failure).toMatchObject({ position: 5, error: { code: 'log-rewound', position: 5, head: 6 } });
    expect(failures[0]!.failure!.error.message).toContain('another event at score/');
    expect(await view.get('ajax')).toEqual([1, 2, 3, 4, 5]);
  });

  it('goes on when the events have been restored', async () => {
    const { publish, restore, view, run } = await setBack();
    const { runner, failures } = await run();
    await eventually(() => expect(failures.length).toBeGreaterThan(0));
    await restore();
    await publish(6);
    await eventually(async () => expect(await view.get('ajax')).toEqual([1, 2, 3, 4, 5, 6]));
    expect(runner.status().every(({ failure }) => failure === undefined)).toBe(true);
  });
});
