import { HandlingContext } from './handling-context.js';

const context = (stopping?: AbortSignal) =>
  new HandlingContext(
    { specversion: '1.0', id: 'm', source: '/test', type: 'work.do', data: {} },
    { source: { partition: { context: 'work', index: 0 }, log: 'in' }, id: '1-0' },
    1,
    stopping,
  );

describe('the context of a handler', () => {
  it('is aborted when it is given up, whether or not somebody has its signal', () => {
    const [watched, unwatched] = [context(), context()];
    const { signal } = watched;
    expect([watched.isAborted, unwatched.isAborted, signal.aborted]).toEqual([false, false, false]);
    for (const each of [watched, unwatched]) each.abort(new Error('too slow'));
    expect([watched.isAborted, unwatched.isAborted]).toEqual([true, true]);
    expect([signal.reason, unwatched.signal.reason]).toEqual([new Error('too slow'), new Error('too slow')]);
  });

  it('is aborted when the service no longer waits', () => {
    const stopping = new AbortController();
    const [watched, unwatched] = [context(stopping.signal), context(stopping.signal)];
    const { signal } = watched;
    stopping.abort('stopping');
    expect([watched.isAborted, unwatched.isAborted]).toEqual([true, true]);
    expect([signal.reason, unwatched.signal.reason]).toEqual(['stopping', 'stopping']);
  });
});
