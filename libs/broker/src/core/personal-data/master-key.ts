import { createHash } from 'node:crypto';
import { ConfigurationError } from '../errors.js';
import { decrypt, encrypt, KEY_BYTES } from './cipher.js';

/** The key of one data subject. */
export interface SubjectKey {
  /** Another one for every key there ever was: what was encrypted with a deleted key is told from what was tampered with. */
  readonly id: string;
  readonly secret: Uint8Array;
}

/** Wraps the keys of subjects, so that the store of keys alone opens nothing. */
export class MasterKey {
  private readonly secret: Uint8Array;
  /** What tells it from others, and nothing more. */
  private readonly id: string;

  /** @throws ConfigurationError when it has not 32 bytes */
  constructor(key: Uint8Array | string) {
    this.secret = typeof key === 'string' ? Buffer.from(key, 'base64') : key;
    if (this.secret.length !== KEY_BYTES) {
      throw new ConfigurationError(
        `personalData.masterKey has ${this.secret.length} bytes; it must have ${KEY_BYTES}, as such or in base64: ` +
          `openssl rand -base64 ${KEY_BYTES}`,
      );
    }
    this.id = createHash('sha256').update('millrace master key').update(this.secret).digest('hex').slice(0, 8);
  }

  wrap(subject: string, { id, secret }: SubjectKey): string {
    return `1.${this.id}.${id}.${encrypt(this.secret, Buffer.from(secret).toString('base64url'), about(subject, id))}`;
  }

  /** @throws ConfigurationError when another master key has wrapped it, or nobody has */
  unwrap(subject: string, wrapped: string): SubjectKey {
    const [format, master, id = '', sealed = ''] = wrapped.split('.');
    if (format !== '1') throw new ConfigurationError(`the key of a data subject has format '${format}', known is '1'`);
    if (master !== this.id) {
      throw new ConfigurationError(
        `keys of data subjects were wrapped with master key ${master}, personalData.masterKey is ${this.id}: give all ` +
          `services that share the keys the same one`,
      );
    }
    const secret = decrypt(this.secret, sealed, about(subject, id));
    if (secret === undefined) {
      throw new ConfigurationError(
        `the key of a data subject has been changed where it is kept: restore it (key ${id})`,
      );
    }
    return { id, secret: Buffer.from(secret, 'base64url') };
  }
}

function about(subject: string, id: string): readonly string[] {
  return ['subject key', subject, id];
}
