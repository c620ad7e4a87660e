import type { Call } from '../call.js';
import type { CallAction } from '../transition.js';
import { runCall } from './run-call.js';

const action = (work: (state: never, call: Call) => unknown, withinMs = 10_000): CallAction => ({
  kind: 'call',
  id: 'trip/4711/0/do/1',
  work,
  state: {},
  item: undefined,
  attempt: 1,
  withinMs,
});

/** Never settles, and tells which signal it was given. */
function hanging() {
  let given: AbortSignal | undefined;
  const work = (_state: never, { signal }: Call) => {
    given = signal;
    return new Promise<never>(() => undefined);
  };
  return { work, signal: () => given! };
}

describe('the run of a local function', () => {
  it('ends at its deadline, and tells the function', async () => {
    const { work, signal } = hanging();
    const result = await runCall(action(work, 5));
    expect(result).toEqual({ status: 'failed', reason: 'no answer within 5 ms', retryable: true });
    expect(signal().reason).toMatchObject({ name: 'TimeoutError', message: 'no answer within 5 ms' });
  });

  it('tells the function when the handler is no longer waited for', async () => {
    const handling = new AbortController();
    const { work, signal } = hanging();
    const running = runCall(action(work, 50), handling);
    expect(signal().aborted).toBe(false);
    handling.abort('stopping');
    expect(signal().reason).toBe('stopping');
    expect(await running).toMatchObject({ status: 'failed' });
  });

  it('does not ask the handler for a signal that the function does not ask for', async () => {
    let asked = 0;
    const handling = {
      get signal() {
        asked++;
        return new AbortController().signal;
      },
    };
    expect(
      await runCall(
        action(() => 'done'),
        handling,
      ),
    ).toEqual({ status: 'answered', value: 'done' });
    expect(asked).toBe(0);
    const result = await runCall(
      action((_state, { signal }) => signal.aborted),
      handling,
    );
    expect(result).toEqual({ status: 'answered', value: false });
    expect(asked).toBe(1);
  });

  it('has failed when the function throws before it answers a promise', async () => {
    const work = (): never => {
      throw new Error('no room');
    };
    expect(await runCall(action(work))).toEqual({ status: 'failed', reason: 'no room', retryable: true });
  });
});
