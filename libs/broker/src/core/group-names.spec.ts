import { ConfigurationError } from './errors.js';
import { byGroup, findGroup, fullNameOf, groupNamed } from './group-names.js';
import { Subscriptions } from './handler.js';

function groups(...labels: (string | undefined)[]): Subscriptions {
  const all = new Subscriptions('order');
  for (const [i, group] of labels.entries()) {
    const named = group === undefined ? {} : { group };
    all.add({ ...named, name: `h${i}`, type: 'order.placed', context: 'order', log: 'feed', handle: () => undefined });
  }
  return all;
}

const none = async () => new Set<string>();
const never = () => Promise.reject(new Error('not asked for'));

describe('a group of a service', () => {
  it.each([
    ['order', 'order'],
    ['mailer', 'order.mailer'],
    ['order.mailer', 'order.mailer'],
    ['mail.eu', 'order.mail.eu'],
  ])('%s is %s', (name, full) => {
    expect(findGroup(groups(undefined, 'mailer', 'mail.eu'), name)?.name).toBe(full);
  });

  it('is the one with that full name, when another is written so', () => {
    const both = groups(undefined, 'order', 'mailer', 'order.mailer');
    const found = ['order', 'order.order', 'order.mailer', 'order.order.mailer'];
    expect(found.map((name) => findGroup(both, name)?.name)).toEqual(found);
  });

  it('is not another service’s, and the refusal names those there are', () => {
    const all = groups(undefined, 'mailer');
    for (const name of ['mailr', 'payment', 'payment.mailer'])
      expect(() => groupNamed(all, name)).toThrow(`no handler has the group '${name}': write one of 'order', 'mailer'`);
    expect(() => groupNamed(groups(), 'mailer')).toThrow('this service has no handlers');
  });

  it('gets options by either name, and by one of them only', () => {
    const all = groups('mailer', 'search');
    const given = byGroup(all, { 'order.mailer': 1, search: 2 });
    expect(Array.from(given, ([{ label }, value]) => [label, value])).toEqual([
      ['mailer', 1],
      ['search', 2],
    ]);
    expect(() => byGroup(all, { mailer: 1, 'order.mailer': 2 })).toThrow(
      "groups: { 'mailer', 'order.mailer' } gives options to one group twice",
    );
    expect(() => byGroup(all, { 'payment.mailer': 1 })).toThrow("write one of 'mailer', 'search'");
  });
});

describe('a group of any service', () => {
  it.each(['order', 'order.gone', 'payment.mailer'])('passes by its full name: %s', async (name) => {
    expect(await fullNameOf(groups('mailer'), name, never)).toBe(name);
  });

  it('is the own one by a short name, whatever others there are', async () => {
    expect(await fullNameOf(groups('payment'), 'payment', never)).toBe('order.payment');
  });

  it('has no dot when it is the only one of its service: then it must have been here', async () => {
    expect(await fullNameOf(groups('mailer'), 'payment', async () => new Set(['payment']))).toBe('payment');
    const misspelt = fullNameOf(groups('mailer'), 'mailr', async () => new Set(['payment', 'catalog.stock']));
    await expect(misspelt).rejects.toThrow(
      "no group 'mailr' is known: write one of 'mailer', 'payment', 'catalog.stock', or the full name of another one",
    );
    await expect(misspelt).rejects.toBeInstanceOf(ConfigurationError);
    await expect(fullNameOf(groups(), 'mailr', none)).rejects.toThrow(
      "no group 'mailr' is known: write the full name of another one, as 'order.mailer'",
    );
  });
});
