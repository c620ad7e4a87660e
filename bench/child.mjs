import { fork } from 'node:child_process';
import { once } from 'node:events';

/**
 * The child's side: sets up, then does what it is told, as often as it is told, and reports the CPU each time took,
 * and what else it knows.
 *
 * @param {(setting: any) => Promise<{ send?(n: number): Promise<void>, handle?(n: number): Promise<object | void>, close(): Promise<unknown> }>} setUp
 */
export async function ready(setUp) {
  process.send('up');
  const [setting] = await once(process, 'message');
  const side = await setUp(setting);
  process.send('ready');
  for (;;) {
    const [messages] = await once(process, 'message');
    if (messages === 'close') break;
    const before = process.cpuUsage();
    const more = await (side.send ?? side.handle)(messages);
    const { user, system } = process.cpuUsage(before);
    process.send({ ...more, cpuSeconds: (user + system) / 1e6 });
  }
  await side.close();
  process.disconnect();
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
  return {
    /** Does its part for a number of messages; answers what CPU it took. */
    run: (messages) => {
      process.send(messages);
      return answer();
    },
    close: async () => {
      process.send('close');
      await broken.catch(() => undefined);
    },
  };
}
