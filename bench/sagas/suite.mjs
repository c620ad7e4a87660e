/** Sagas of three steps, beside the same by hand. */
import { byMessages } from './by-messages.mjs';

export async function run(options) {
  await byMessages({ sagas: 20_000, inFlight: 500, ...options });
}
