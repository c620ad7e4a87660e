import { fork } from 'node:child_process';
import { once } from 'node:events';

/**
 * The child's side: sets up, then does what it is told, as often as it is told, and reports the CPU each time took,
 * and what else it knows. What does its work unasked is only asked for its CPU.
 *
 * @param {(setting: any) => Promise<{ send?(act: any): Promise<void>, handle?(act: any): Promise<object | void>, close(): Promise<unknown> }>} setUp
 */
export async function ready(setUp) {
  // Whose parent has died must not go on, and take work from those of the next run.
  process.once('disconnect', () => process.exit(1));
  process.send('up');
  const [setting] = await once(process, 'message');
  const side = await setUp(setting);
  process.send('ready');
  for (;;) {
    const [act] = await once(process, 'message');
    if (act === 'close') break;
    const before = act === 'cpu' ? undefined : process.cpuUsage();
    const more = act === 'cpu' ? undefined : await (side.send ?? side.handle)(act);
    process.send({ ...more, cpuSeconds: cpuSeconds(before) });
  }
  await side.close();
  process.removeAllListeners('disconnect');
  process.disconnect();
}

function cpuSeconds(before) {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** The parent's side. */
export async function child(file, setting, execArgv = []) {
  const process = fork(file, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv });
  const broken = once(process, 'exit').then(([code]) => {
    throw new Error(`${file} ended with code ${code}`);
  });
  broken.catch(() => undefined);
  const answer = () => Promise.race([once(process, 'message').then(([message]) => message), broken]);
  await answer();
  process.send(setting);
  await answer();
  const ask = (act) => {
    process.send(act);
    return answer();
  };
  return {
    /** Does its part for a number of messages, or what else it takes; answers what CPU it took. */
    run: ask,
    /** CPU it has taken since it was started, s. Not while it runs. */
    cpuSeconds: async () => (await ask('cpu')).cpuSeconds,
    /** Rejects when it ends. */
    broken,
    close: async () => {
      if (process.connected) process.send('close');
      await broken.catch(() => undefined);
    },
  };
}
