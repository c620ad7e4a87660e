import { fields } from '../options/check-options.js';
import type { Rule } from '../options/check-options.js';
import { count, countOrNone, thing } from '../options/rules.js';
import type { SubjectKeys } from './subject-keys.js';

/** How personal data are encrypted. */
export interface PersonalDataSettings {
  /** Where the keys of data subjects are: the same for all services that share messages. */
  readonly keys: SubjectKeys;
  /** Wraps these keys: 32 random bytes, or the same in base64. From the secrets of the deployment, never from the code. */
  readonly masterKey: Uint8Array | string;
  /** How long a process uses a key without asking for it again, ms: a deleted one works on for so long. Default 10000. */
  readonly cacheMs?: number;
  /** How many keys a process knows at most. Default 10000. */
  readonly cacheSize?: number;
}

/** Its length is checked where it is used; what it is, is not shown. */
const secret: Rule = (value, name) =>
  typeof value === 'string' || value instanceof Uint8Array ? undefined : `${name} that is neither bytes nor a text`;

export const PERSONAL_DATA_RULES = fields<PersonalDataSettings>({
  keys: thing,
  masterKey: secret,
  cacheMs: countOrNone,
  cacheSize: count,
});
