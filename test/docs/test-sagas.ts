/** The code of docs/guides/test-sagas.md, region by region. The specs beside it compare, compile and run it. */

// #region saga
import { Command, Event, Reply } from '@millrace/messages';
import { explore, invariant, Saga, saga, scenario } from '@millrace/saga';
import { playOn } from '@millrace/testing';
import type { PartitionStore } from '@millrace/broker';
import { IsString } from 'class-validator';

@Event('billing.trial-started', { key: 'customer' })
export class TrialStarted {
  @IsString() readonly customer: string;

  constructor(customer: string) {
    this.customer = customer;
  }
}

@Event('billing.terms-accepted', { key: 'customer' })
export class TermsAccepted {
  @IsString() readonly customer: string;

  constructor(customer: string) {
    this.customer = customer;
  }
}

@Reply('bank.charged')
export class Charged {
  @IsString() readonly receipt: string;

  constructor(receipt: string) {
    this.receipt = receipt;
  }
}

@Reply('bank.declined', { failure: true })
export class Declined {
  @IsString() readonly code: string;

  constructor(code: string) {
    this.code = code;
  }
}

@Command('bank.charge', { key: 'customer' })
export class Charge extends Command<Charged, Declined> {
  @IsString() readonly customer: string;

  constructor(customer: string) {
    super();
    this.customer = customer;
  }
}

interface State {
  readonly customer: string;
  readonly account?: string;
  readonly receipt?: string;
}

@Saga('subscription')
export class Subscription {
  readonly definition = saga<State>()
    .startsOn(TrialStarted, ({ customer }) => ({ customer }))
    .step('open account', (s) =>
      s
        .calls(({ customer }) => `account of ${customer}`)
        .onResult((state, account) => ({ ...state, account }))
        .compensates(({ account }) => console.log(`closes ${account}`)),
    )
    .sleep('trial', '30d')
    .waitFor('consent', TermsAccepted, { within: '7d' })
    .step('charge', (s) =>
      s
        .sends(({ customer }) => new Charge(customer))
        .onReply(Charged, (state, { receipt }) => ({ ...state, receipt }))
        .failsOn(Declined, (_, { code }) => code)
        .retries(1),
    );
}
// #endregion

// #region script
export function charges() {
  const { state } = scenario(Subscription)
    .given(new TrialStarted('ann'))
    .calls('open account')
    .answers('a-1')
    .after('30d')
    .happens(new TermsAccepted('ann'))
    .expect(new Charge('ann'))
    .timesOut()
    .expect(new Charge('ann'))
    .reply(new Charged('r-1'))
    .ends('completed');
  return state;
}
// #endregion

// #region failures
export function closesTheAccount() {
  const started = () => scenario(Subscription).given(new TrialStarted('ann')).calls('open account').answers('a-1');

  // Nobody agrees within a week.
  started().after('30d').after('7d').callsToUndo('open account').answers().ends('compensated');

  // The account cannot be closed: a person has to see to it.
  return started()
    .isCancelled('moved away')
    .callsToUndo('open account')
    .throws('no such account', { retryable: false })
    .parksAt('open account')
    .isSkipped('open account', 'it is closed already')
    .ends('compensated');
}
// #endregion

// #region explore
export function exploreAll() {
  const result = explore(Subscription, {
    given: new TrialStarted('ann'),
    answers: { 'open account': ['a-1'] },
    invariants: [
      invariant('only who has an account is charged', ({ account, receipt }) => !receipt || account !== undefined),
    ],
  });
  console.log(`${result}`);
  return result;
}
// #endregion

// #region store
export function chargesOn(store: PartitionStore) {
  return playOn(store, Subscription, (subscription) =>
    subscription
      .given(new TrialStarted('ann'))
      .calls('open account')
      .answers('a-1')
      .after('30d')
      .happens(new TermsAccepted('ann'))
      .expect(new Charge('ann'))
      .reply(new Charged('r-1'))
      .ends('completed'),
  );
}
// #endregion

// #region code
import { sagaOf } from '@millrace/saga';
import type { Scenario, StateOf } from '@millrace/saga';

@Saga('coded-subscription')
export class CodedSubscription {
  readonly definition = sagaOf(
    TrialStarted,
    async (saga, { customer }) => {
      const account = await saga.step(
        'open account',
        () => `account of ${customer}`,
        (opened) => console.log(`closes ${opened}`),
      );
      await saga.sleep('trial', '30d');
      await saga.waitFor('consent', TermsAccepted, { within: '7d' });
      const { receipt } = await saga.send('charge', new Charge(customer), { reason: ({ code }) => code });
      return { account, receipt };
    },
    { waitsFor: [TermsAccepted], sends: [Charge] },
  );
}

const declined = (subscription: Scenario<StateOf<typeof CodedSubscription>>) =>
  subscription
    .given(new TrialStarted('bob'))
    .calls('open account')
    .answers('b-1')
    .after('30d')
    .happens(new TermsAccepted('bob'))
    .expect(new Charge('bob'))
    .reply(new Declined('expired'))
    .callsToUndo('open account')
    .answers()
    .ends('compensated');

export async function playsCode(store: PartitionStore) {
  const { failure } = await scenario(CodedSubscription, declined);
  await playOn(store, CodedSubscription, declined);
  return failure;
}

export function exploreCode() {
  return explore(CodedSubscription, {
    given: new TrialStarted('bob'),
    samples: [new TermsAccepted('bob')],
    answers: { 'open account': ['b-1'], charge: [new Charged('r-1'), new Declined('expired')] },
    invariants: [invariant('a receipt has an account', ({ output }) => !output || output.account !== undefined)],
  });
}
// #endregion
