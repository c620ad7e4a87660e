import { setTimeout as delay } from 'node:timers/promises';
import { BrokerModule, BrokerMonitor, InMemoryPartitionStore, Publisher } from '@millrace/broker';
import { Event } from '@millrace/messages';
import type { INestApplicationContext } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { jest } from '@jest/globals';
import { Projection, Projects } from '../core/projection.js';
import type { ReadView } from '../core/read-view.js';
import type { View } from '../core/view.js';
import { EventStoreModule } from './event-store.module.js';
import { getViewToken } from './inject.js';
import { Projections } from './projections.js';

@Event('post.sent', { key: 'to' })
class Sent {
  constructor(readonly to: string) {}
}

const refused = new Set<string>();

@Projection('letters')
class Letters {
  @Projects(Sent) async sent({ to }: Sent, view: View<number>): Promise<void> {
    if (refused.has(to)) throw new Error(`nobody knows ${to}`);
    await view.update(to, (count = 0) => count + 1);
  }
}

@Projection('parcels', { onFailure: 'park', attempts: 1 })
class Parcels extends Letters {}

describe('the projections of a service', () => {
  let app: INestApplicationContext;
  let projections: Projections;
  const errors = jest.spyOn(Logger.prototype, 'error');

  beforeEach(async () => {
    refused.clear();
    errors.mockReset();
    const module = await Test.createTestingModule({
      imports: [
        BrokerModule.forRoot({ context: 'post', store: new InMemoryPartitionStore(), partitions: 2 }),
        EventStoreModule.forFeature({ projections: [Letters, Parcels] }),
      ],
    }).compile();
    app = await module.init();
    projections = app.get(Projections);
  });
  afterEach(() => app.close());

  const send = (to: string) => app.get(Publisher).publish(new Sent(to));
  const health = () => app.get(BrokerMonitor).health();
  const view = (type: typeof Letters) => app.get<ReadView<number>>(getViewToken(type));

  it('can be waited for', async () => {
    await send('ann');
    await projections.waitFor(Letters);
    expect(await view(Letters).get('ann')).toBe(1);
    expect(await health()).toMatchObject({ status: 'up', reasons: [] });
  });

  it('that stand still, or go on without an event, are seen in health and in the log', async () => {
    refused.add('bob');
    await send('bob');
    await projections.waitFor(Parcels);
    while (projections.status().every(({ failure }) => failure === undefined)) await delay(5);
    const { status, reasons } = await health();
    expect(status).toBe('degraded');
    expect(reasons).toEqual([
      expect.stringMatching(/^projection letters\.v1 on post\/\d stands still before position 1: nobody knows bob$/),
      expect.stringMatching(/^projection parcels\.v1 on post\/\d goes on without what it could not take: 1 parked$/),
    ]);
    const logged = errors.mock.calls.map(([message]) => String(message));
    expect(logged).toContainEqual(expect.stringMatching(/^letters\.v1 on post\/\d stopped at position 1 \(attempt 1/));
    expect(logged).toContainEqual(
      expect.stringMatching(/^parcels\.v1 on post\/\d goes on without position 1, post\.sent/),
    );

    expect(await projections.retryParked(Parcels)).toMatchObject([{ position: 1, attempts: 2 }]);
    refused.clear();
    expect(await projections.retryParked(Parcels)).toEqual([]);
    await projections.waitFor(Letters);
    expect([await view(Letters).get('bob'), await view(Parcels).get('bob')]).toEqual([1, 1]);
    while ((await health()).status !== 'up') await delay(5);
  });

  it('are built anew on request', async () => {
    await send('ann');
    await projections.waitFor(Letters);
    const build = await projections.of(Letters).rebuild();
    for await (const progress of projections.of(Letters).progress()) expect(progress.build).toBe(build);
    expect(await view(Letters).get('ann')).toBe(1);
    expect(view(Letters).name).toBe(build);
  });

  it('are those that it declares', () => {
    @Projection('stamps')
    class Stamps extends Letters {}
    expect(() => projections.of(Stamps)).toThrow('this service runs no projection Stamps');
    expect(() => projections.of(Letters, 'other')).toThrow('this service runs no projection Letters');
  });
});
