import { EventStore } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { programOf } from '../support/program-of.js';
import { eventually } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import { Worker } from '../support/worker.js';

const APPENDER = programOf('appender-process');
const STREAMS = [0, 1, 2, 3, 4].map((n) => `storm-${n}`);

@Event('work.stormed')
class Stormed {}

describe('processes that are killed while they append', () => {
  it('leave all that was answered, nothing that was not sent, and versions without gaps', async () => {
    const site = await redisSite({ partitions: 3 });
    await site.broker.declare();
    const workers: Worker[] = [];
    for (let round = 0; round < 3; round++) {
      const pair = [0, 1].map(() => Worker.start(site, {}, undefined, APPENDER));
      workers.push(...pair);
      await eventually(() => {
        for (const { lines } of pair)
          expect(lines.filter((line) => line.startsWith('done')).length).toBeGreaterThan(100);
      }, 30_000);
      for (const worker of pair) worker.signal('SIGKILL');
      await Promise.all(pair.map((worker) => worker.ended));
    }
    const said = (word: string) =>
      workers.flatMap(({ lines }) =>
        lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.split(' ')),
      );

    const events = new EventStore(site.broker, [Stormed]);
    const stored = new Map<string, number>();
    for (const stream of STREAMS) {
      let version = 0;
      for await (const event of events.read(stream)) {
        expect(event.version).toBe(++version);
        expect(stored.has(`${stream} ${event.id}`)).toBe(false);
        stored.set(`${stream} ${event.id}`, version);
      }
    }
    for (const [, stream, id, version] of said('done')) expect(stored.get(`${stream} ${id}`)).toBe(Number(version));
    const sent = new Set(said('sent').map(([, stream, id]) => `${stream} ${id}`));
    for (const name of stored.keys()) expect(sent).toContain(name);
    let tagged = 0;
    for await (const _event of events.readTagged('all')) tagged++;
    expect(tagged).toBe(stored.size);

    // Whoever does not know repeats it: what is there stays as it is, what is not comes.
    for (const name of sent) {
      const [stream, id] = name.split(' ') as [string, string];
      const known = stored.get(name);
      const result = await events.append(stream, [new Stormed()], { ids: [id], tags: ['all'] });
      expect(result).toMatchObject(known === undefined ? { status: 'appended' } : { version: known });
    }
    const after = await Promise.all(
      STREAMS.map((stream) => site.store.readStream(site.broker.partitionFor(stream.slice(6)), stream, { limit: 1 })),
    );
    expect(after.reduce((sum, { version }) => sum + version, 0)).toBe(sent.size);
  }, 90_000);
});
