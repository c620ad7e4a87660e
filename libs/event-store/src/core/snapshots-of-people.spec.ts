import { randomBytes } from 'node:crypto';
import { Broker, DataSubjects, InMemoryPartitionStore, InMemorySubjectKeys } from '@millrace/broker';
import { jest } from '@jest/globals';
import { DataSubject, Event, PersonalData } from '@millrace/messages';
import { Aggregate, AggregateRoot } from './aggregate.js';
import { Apply } from './apply.js';
import { Repository } from './repository.js';

@Event('walk.joined')
class Joined {
  @DataSubject() readonly person: string;
  @PersonalData() readonly name: string;

  constructor(person: string, name: string) {
    this.person = person;
    this.name = name;
  }
}

@Event('walk.rested')
class Rested {}

@Aggregate('walk', { snapshot: { every: 2 } })
class Walk extends AggregateRoot {
  names: (string | null)[] = [];
  rests = 0;

  join(person: string, name: string): void {
    this.record(new Joined(person, name));
  }
  rest(): void {
    this.record(new Rested());
  }
  @Apply(Joined) protected joined({ name }: Joined): void {
    this.names.push(name);
  }
  @Apply(Rested) protected rested(): void {
    this.rests++;
  }
}

describe('a snapshot that knows something of two people', () => {
  const personalData = { keys: new InMemorySubjectKeys(), masterKey: randomBytes(32), cacheMs: 0 };
  const store = new InMemoryPartitionStore();
  const broker = new Broker(store, { context: 'walk', partitions: 1, personalData });
  const partition = broker.partitionFor('alps');
  /** As a process loads it that has just started. */
  const load = () => new Repository(broker, Walk).load('alps');
  const snapshot = async () => (await store.readState(partition, 'snapshot.walk-alps'))!.value;

  it('is encrypted with the keys of both, and read while there are both', async () => {
    const walks = new Repository(broker, Walk);
    await walks.change('alps', (walk) => walk.join('ada', 'Ada Lovelace'));
    await walks.change('alps', (walk) => walk.join('eve', 'Eve Online'));
    const kept = await snapshot();
    expect(JSON.parse(kept)).toMatchObject({ version: 2, sealed: 2 });
    expect(kept).not.toMatch(/Ada|Eve|names/);
    const read = jest.spyOn(store, 'readStream');
    expect(await load()).toMatchObject({ names: ['Ada Lovelace', 'Eve Online'], version: 2 });
    expect(read.mock.calls.map(([, , page]) => page?.after)).toEqual([1]);
    read.mockRestore();
  });

  it('is not read any more when one of them is forgotten, and the other is still known', async () => {
    expect(await new DataSubjects(broker).forget('ada')).toBe(true);
    const read = jest.spyOn(store, 'readStream');
    expect(await load()).toMatchObject({ names: [null, 'Eve Online'], version: 2 });
    // It cannot be opened, so all events are read.
    expect(read.mock.calls.at(-1)?.[2]?.after).toBe(0);
    read.mockRestore();
  });

  it('is replaced by one with the key that is left', async () => {
    const walks = new Repository(broker, Walk);
    await walks.change('alps', (walk) => walk.rest());
    expect(JSON.parse(await snapshot())).toMatchObject({ version: 3, sealed: 1 });
    expect(await load()).toMatchObject({ names: [null, 'Eve Online'], rests: 1, version: 3 });
  });

  it('is gone with both', async () => {
    await new DataSubjects(broker).forget('eve');
    expect(await load()).toMatchObject({ names: [null, null], rests: 1, version: 3 });
  });
});
