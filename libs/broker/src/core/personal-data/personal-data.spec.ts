import { randomBytes } from 'node:crypto';
import { DataSubject, decode, Event, isErased, PersonalData } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { InMemoryPartitionStore } from '../../in-memory/in-memory-partition-store.js';
import { InMemorySubjectKeys } from '../../in-memory/in-memory-subject-keys.js';
import { Broker } from '../broker.js';
import { ConfigurationError } from '../errors.js';
import { DataSubjects } from './data-subjects.js';
import { ExpiringCache } from './expiring-cache.js';
import { KeyRing } from './key-ring.js';
import { MasterKey } from './master-key.js';
import type { SubjectKeys } from './subject-keys.js';

@Event('people.registered')
class Registered {
  @DataSubject() readonly personId: string;
  @PersonalData() readonly name: string;
  @PersonalData({ placeholder: { year: 0 } }) readonly born: { readonly year: number };
  readonly plan: string;

  constructor(personId: string, name: string, year: number, plan: string) {
    this.personId = personId;
    this.name = name;
    this.born = { year };
    this.plan = plan;
  }
}

@Event('people.moved')
class Moved {
  constructor(readonly to: string) {}
}

const masterKey = randomBytes(32);
const ada = new Registered('ada', 'Ada Lovelace', 1815, 'gold');

function brokerWith(keys: SubjectKeys | undefined, key: Uint8Array | string = masterKey): Broker {
  const personalData = keys && { keys, masterKey: key };
  return new Broker(new InMemoryPartitionStore(), { context: 'people', ...(personalData && { personalData }) });
}

const entryOf = (text: string) => ({ id: '0-1', fields: ['event', text] });
const written = async (broker: Broker, message: object, subject = 'person-ada') =>
  (await broker.messages.encode(message, { subject })).text;
const changed = (text: string, change: Partial<Envelope>) =>
  JSON.stringify({ ...(JSON.parse(text) as Envelope), ...change });

describe('personal data', () => {
  let keys: InMemorySubjectKeys;
  let broker: Broker;
  beforeEach(() => {
    keys = new InMemorySubjectKeys();
    broker = brokerWith(keys);
  });

  it('are unreadable where they are written, and read as they were', async () => {
    const text = await written(broker, ada);
    expect(text).not.toMatch(/Lovelace|1815/);
    expect(text).toContain('gold');
    expect(decode(['event', text], '0-1')).toMatchObject({ personaldata: '/name /born', data: { personId: 'ada' } });
    const opened = await broker.openStored(entryOf(text));
    expect(opened.data).toEqual({ ...ada });
    expect(opened.personaldata).toBeUndefined();
    expect(isErased(opened)).toBe(false);
  });

  it('never look the same twice', async () => {
    const texts = await Promise.all([written(broker, ada), written(broker, ada)]);
    const names = texts.map((text) => (JSON.parse(text) as { data: Registered }).data.name);
    expect(names[0]).not.toBe(names[1]);
  });

  it('cost no promise where there are none', () => {
    const encoded = broker.messages.encode(new Moved('Bath'));
    expect(encoded).not.toBeInstanceOf(Promise);
    expect(broker.messages.outgoing(new Moved('Bath'))).not.toBeInstanceOf(Promise);
    expect(broker.openStored(entryOf((encoded as { text: string }).text))).not.toBeInstanceOf(Promise);
  });

  it('become null, or their placeholder, when the key has been deleted', async () => {
    const text = await written(broker, ada);
    const eve = await written(broker, new Registered('eve', 'Eve', 1990, 'tin'));
    const subjects = new DataSubjects(broker);
    expect(await subjects.forget('ada')).toBe(true);
    expect(await subjects.forget('ada')).toBe(false);
    const opened = await broker.openStored(entryOf(text));
    expect(opened.data).toEqual({ personId: 'ada', name: null, born: { year: 0 }, plan: 'gold' });
    expect(isErased(opened)).toBe(true);
    expect((await broker.openStored(entryOf(eve))).data).toMatchObject({ name: 'Eve' });
  });

  it('stay unreadable when the person comes back, with a new key', async () => {
    const old = await written(broker, ada);
    await new DataSubjects(broker).forget('ada');
    const fresh = await written(broker, ada);
    expect((await broker.openStored(entryOf(fresh))).data).toMatchObject({ name: 'Ada Lovelace' });
    expect((await broker.openStored(entryOf(old))).data).toMatchObject({ name: null });
  });

  it('are refused where they were not written: another stream, type, version, property, person', async () => {
    const text = await written(broker, ada);
    const { data } = JSON.parse(text) as { data: { name: string; born: string } };
    const eve = JSON.parse(await written(broker, new Registered('eve', 'Eve', 1990, 'tin'), 'person-eve')) as Envelope;
    for (const change of [
      { subject: 'person-eve' },
      { type: 'people.moved' },
      { schemaversion: 2 },
      { data: { ...data, name: data.born } },
      { data: { ...data, name: (eve.data as Registered).name } },
      { data: { ...data, name: data.name.slice(0, -1) + (data.name.endsWith('A') ? 'B' : 'A') } },
      { data: { ...data, name: 'Mallory' } },
      { data: { ...data, name: 7 } },
    ]) {
      const opening = Promise.resolve(broker.openStored(entryOf(changed(text, change))));
      await expect(opening).rejects.toMatchObject({ code: 'tampered-data' });
    }
  });

  it('are passed where a transform or a person has taken them out', async () => {
    const text = await written(broker, ada);
    const { data } = JSON.parse(text) as { data: object };
    const opened = await broker.openStored(entryOf(changed(text, { data: { ...data, name: null } })));
    expect(opened.data).toMatchObject({ name: null, born: { year: 1815 } });
  });

  it('are not written without a subject, and not without keys', async () => {
    await expect(written(broker, new Registered('', 'Nobody', 1, 'x'))).rejects.toMatchObject({
      code: 'no-data-subject',
    });
    const keyless = brokerWith(undefined);
    expect(() => keyless.messages.encode(ada)).toThrow(ConfigurationError);
    expect(() => keyless.messages.outgoing(ada)).toThrow(
      "people.registered has personal data, and service 'people' no keys to encrypt them: give the module personalData",
    );
    await expect(new DataSubjects(keyless).forget('ada')).rejects.toThrow('no keys that could be deleted');
  });

  it('are not taken for plain text by a service without keys', async () => {
    const text = await written(broker, ada);
    expect(() => brokerWith(undefined).openStored(entryOf(text))).toThrow('and this service no keys');
  });
});

describe('the master key', () => {
  it('has 32 bytes, as such or in base64', () => {
    const keys = new InMemorySubjectKeys();
    expect(() => brokerWith(keys, randomBytes(31))).toThrow('personalData.masterKey has 31 bytes; it must have 32');
    expect(() => brokerWith(keys, 'c2VjcmV0')).toThrow('has 6 bytes');
    expect(() => brokerWith(keys, masterKey.toString('base64'))).not.toThrow();
  });

  it('is found wrong before anything is read', async () => {
    const keys = new InMemorySubjectKeys();
    await brokerWith(keys).declare();
    await brokerWith(keys).declare();
    const wrong = brokerWith(keys, randomBytes(32));
    await expect(wrong.declare()).rejects.toThrow(/were wrapped with master key [\da-f]{8}, personalData.masterKey is/);
    await expect(written(wrong, ada)).rejects.toThrow('were wrapped with master key');
  });

  it('does not unwrap what was changed, or belongs to somebody else', () => {
    const master = new MasterKey(masterKey);
    const wrapped = master.wrap('ada', { id: 'aa', secret: randomBytes(32) });
    expect(() => master.unwrap('eve', wrapped)).toThrow('has been changed where it is kept');
    expect(() => master.unwrap('ada', 'plain')).toThrow("has format 'plain'");
  });
});

describe('keys as a process knows them', () => {
  let now = 0;
  const store = new InMemorySubjectKeys();
  const ringOf = (keys: SubjectKeys = store) =>
    new KeyRing(keys, new MasterKey(masterKey), { cacheMs: 1000, cacheSize: 100 }, () => now);

  it('are gone in other processes after the stated time', async () => {
    const [one, other] = [ringOf(), ringOf()];
    const { id } = await one.current('ada');
    expect(await other.find('ada', id)).toMatchObject({ id });
    await one.delete('ada');
    expect(await one.find('ada', id)).toBeUndefined();
    now += 999;
    expect(await other.find('ada', id)).toMatchObject({ id });
    now += 1;
    expect(await other.find('ada', id)).toBeUndefined();
  });

  it('are found at once when another process has just made them', async () => {
    const [one, other] = [ringOf(), ringOf()];
    expect(await other.find('bob', 'none')).toBeUndefined();
    const { id } = await one.current('bob');
    expect(await other.find('bob', id)).toMatchObject({ id });
  });

  it('are the same for two that need the first one at once', async () => {
    const made = await Promise.all([ringOf().current('cid'), ringOf().current('cid')]);
    expect(made[0].id).toBe(made[1].id);
  });

  it('are asked for once while they are known, or known to be gone', async () => {
    const asked: string[] = [];
    const counting: SubjectKeys = {
      get: (subject) => (asked.push(subject), store.get(subject)),
      create: (subject, key) => store.create(subject, key),
      delete: (subject) => store.delete(subject),
    };
    const ring = ringOf(counting);
    const { id } = await ring.current('dan');
    await ring.find('dan', id);
    await ring.delete('dan');
    await ring.find('dan', id);
    await ring.find('dan', id);
    expect(asked).toEqual(['dan', 'dan']);
  });

  it('are no more than were asked for', () => {
    const cache = new ExpiringCache<number>(3, 1000, () => now);
    for (let i = 0; i < 10; i++) cache.put(`key-${i}`, i);
    expect(cache.size).toBe(3);
    expect(cache.get('key-9')).toBe(9);
    expect(cache.get('key-0')).toBeUndefined();
  });
});
