import { SingleBar } from 'cli-progress';
import type { VerifyProgress } from '../core/chain/verify-streams.js';

/** A bar on standard error while something is verified, when that is a terminal. */
export function verifyBar(): { readonly show: (progress: VerifyProgress) => void; readonly stop: () => void } {
  if (!process.stderr.isTTY) return { show: () => undefined, stop: () => undefined };
  const format = '{bar}  {value}/{total} events, {streams} streams  {eta_formatted}';
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, clearOnComplete: true });
  let started = false;
  return {
    show: ({ streams, events, total }) => {
      if (!started) bar.start(total, 0, { streams });
      started = true;
      bar.update(Math.min(events, total), { streams });
    },
    stop: () => {
      if (started) bar.stop();
    },
  };
}
