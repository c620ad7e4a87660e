/** Sagas of three steps: by messages beside the same by hand, with local steps beside peers, and beside a million that wait. */
import { againstPeer } from './against-peer.mjs';
import { byMessages } from './by-messages.mjs';
import { waiting } from './waiting.mjs';

export async function run(options) {
  const settings = { sagas: 20_000, inFlight: 500, ...options };
  if (options.waiting) return waiting(settings);
  return options.against ? againstPeer(options.against, settings) : byMessages(settings);
}
