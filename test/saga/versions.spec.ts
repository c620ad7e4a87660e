import { SagaModule, Sagas } from '@millrace/saga';
import type { SagaClass, SagaInstance } from '@millrace/saga';
import { eventually } from '../support/redis.js';
import { SkippingClock, STORES } from './meet.js';
import { done, Ordered, OrderOne, OrderThree, OrderTwo, Paid } from './versions.js';

describe.each(STORES)('versions of a saga in %s', (_store, meeting) => {
  const place = meeting();
  const clock = new SkippingClock();
  beforeEach(() => void done.splice(0));

  async function process(...sagas: SagaClass[]) {
    const imports = [SagaModule.forFeature(sagas)];
    const partitions = { shop: 1 };
    const service = await place.service({ context: 'shop', imports, partitions, clock, blockMs: 20 });
    const control = service.app.get(Sagas, { strict: false });
    const find = (id: string) => control.find('order', id);
    const reaches = (id: string, expected: object): Promise<SagaInstance> =>
      eventually(async () => {
        const found = await find(id);
        expect(found).toMatchObject(expected);
        return found!;
      });
    const order = async (id: string) => {
      await service.publisher.publish(new Ordered(id, 3));
      await eventually(async () => expect((await find(id))?.run.runs).toHaveLength(2));
    };
    const { publisher } = service;
    const close = () => service.close();
    const deadLetters = () => service.deadLetters();
    return { close, deadLetters, control, reaches, order, pay: (id: string) => publisher.publish(new Paid(id)) };
  }
  const decision = { by: 'ann', reason: 'packing begins' };

  it('lets an instance end as it has begun, while new ones begin with the newest', async () => {
    const old = await process(OrderOne);
    await old.order('a1');
    await old.close();
    const both = await process(OrderOne, OrderTwo);
    await both.order('a2');
    await both.pay('a1');
    await both.pay('a2');

    await both.reaches('a1', { version: 1, status: 'completed' });
    await both.reaches('a2', { version: 2, status: 'completed' });
    expect(done.filter((line) => line.startsWith('a1'))).toEqual(['a1 reserve', 'a1 ship']);
    expect(done.filter((line) => line.startsWith('a2'))).toEqual(['a2 reserve', 'a2 pack 3', 'a2 ship']);
    await both.close();
  });

  it('leaves an instance to a process that has its version, while others go on', async () => {
    const old = await process(OrderOne);
    await old.order('b1');
    await old.close();
    const newest = await process(OrderTwo);
    await newest.pay('b1');
    await newest.order('b2');
    await newest.pay('b2');
    await newest.reaches('b2', { version: 2, status: 'completed' });
    await newest.reaches('b1', { version: 1, status: 'running' });
    await newest.close();

    const both = await process(OrderOne, OrderTwo);
    await both.reaches('b1', { version: 1, status: 'completed' });
    await both.close();
  });

  it('gives a message up that nobody could take for an hour, and says why', async () => {
    const old = await process(OrderOne);
    await old.order('c1');
    await old.close();
    const newest = await process(OrderTwo);
    await newest.pay('c1');
    clock.skip(61 * 60_000);
    await eventually(async () => {
      const letters = await newest.deadLetters();
      expect(letters.map(({ error }) => error)).toEqual([
        expect.stringContaining("saga 'order' c1 is under way in version 1"),
      ]);
    });
    await newest.close();
  });

  it('moves what is under way to another version, after it has said what would happen', async () => {
    const old = await process(OrderOne);
    await old.order('d1');
    await old.close();
    const both = await process(OrderOne, OrderTwo, OrderThree);
    const state = ({ order, pieces }: { order: string; pieces: number }) => ({ order, boxes: pieces * 2 });
    const two = { from: 1, to: 2, state, ...decision };
    const moved = (ids: readonly string[]) =>
      expect.objectContaining({ migrated: expect.arrayContaining([...ids]) as string[] });

    expect(await both.control.migrate(OrderTwo, two, { dryRun: true })).toEqual(moved(['d1']));
    await both.reaches('d1', { version: 1, state: { pieces: 3 } });
    const three = await both.control.migrate(OrderThree, { ...two, to: 3 });
    expect(three.refused).toContainEqual({
      id: 'd1',
      reason: "it has begun 'reserve', where the new version has 'count'",
    });
    expect(await both.control.migrate(OrderTwo, two)).toEqual(moved(['d1']));
    const { history } = await both.reaches('d1', { version: 2, state: { order: 'd1', boxes: 6 } });
    expect(history).toContainEqual(expect.objectContaining({ what: 'migrated', by: 'ann', why: 'packing begins' }));

    await both.pay('d1');
    await both.reaches('d1', { status: 'completed' });
    expect(done.filter((line) => line.startsWith('d1'))).toEqual(['d1 reserve', 'd1 pack 6', 'd1 ship']);
    await expect(both.control.migrate(OrderTwo, { ...two, from: 7 })).rejects.toThrow("saga 'order' has no version 7");
    await expect(both.control.migrate(OrderTwo, { ...two, by: '' })).rejects.toThrow("needs 'by'");
  });
});
