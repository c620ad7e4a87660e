/** The saga with local steps. */
import { ready } from '../child.mjs';

await ready(() => {
  throw new Error('Millrace has no local steps: there is nothing to compare here');
});
