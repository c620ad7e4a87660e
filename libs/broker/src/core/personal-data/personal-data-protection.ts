import {
  ERASED,
  KEYS,
  MessageError,
  pathsIn,
  personalValues,
  placeholderFor,
  placeholderIn,
  pointersOf,
  replaceAt,
  valueAt,
} from '@millrace/messages';
import type { Envelope, PersonalPlan, PersonalValue, SubjectKeyRef } from '@millrace/messages';
import { decrypt, encrypt } from './cipher.js';
import { KeyRing } from './key-ring.js';
import { MasterKey } from './master-key.js';
import type { SubjectKey } from './master-key.js';
import type { PersonalDataSettings } from './personal-data-settings.js';

export const CACHE_MS = 10_000;
const CACHE_SIZE = 10_000;

/** Text encrypted with the key of a subject: its format, the subject, the key and the ciphertext. */
const SEALED = /^mr1\.([\w-]+)\.([\da-f]+)\.([\w-]+)$/;

/** Encrypts personal data with a key per person, and makes them unreadable by deleting it (crypto-shredding). */
export class PersonalDataProtection {
  private readonly ring: KeyRing;

  /** @throws ConfigurationError for a master key that cannot be one */
  constructor({ keys, masterKey, cacheMs = CACHE_MS, cacheSize = CACHE_SIZE }: PersonalDataSettings) {
    this.ring = new KeyRing(keys, new MasterKey(masterKey), { cacheMs, cacheSize });
  }

  /**
   * Makes whatever is personal data of a person unreadable, wherever it is kept: in this process at once, in others within
   * `cacheMs`. What is written about the person from then on gets a new key.
   *
   * @returns false when there was nothing
   */
  forget(subject: string): Promise<boolean> {
    return this.ring.delete(subject);
  }

  /** @throws ConfigurationError when the master key is not the one that the keys were wrapped with */
  check(): Promise<void> {
    return this.ring.check();
  }

  /**
   * A message as it is written: its personal values encrypted, each bound to the stream, the type, the schema version and
   * the place where it stands.
   *
   * @throws MessageError `no-data-subject`
   */
  async seal(message: Envelope, plans: readonly PersonalPlan[]): Promise<Envelope> {
    const data = asJson(message.data);
    const { paths, keys } = await this.sealAll(data, plans, message.type, aboutMessage(message), (subject) =>
      this.ring.current(subject),
    );
    if (paths.length === 0) return message;
    return { ...message, personaldata: pointersOf(paths), [KEYS]: keys, data };
  }

  /**
   * A message as its handlers see it. Values of which the key has been deleted are what their class declares for that.
   *
   * @throws MessageError `tampered-data` for a value that was not written where it stands
   */
  async open(message: Envelope): Promise<Envelope> {
    const { personaldata, ...rest } = message;
    if (personaldata === undefined) return message;
    const data = structuredClone(message.data) as object;
    let erased = false;
    const keys: SubjectKeyRef[] = [];
    for (const path of pathsIn(personaldata)) {
      const value = valueAt(data, path);
      if (value === undefined || value === null) continue;
      const opened = await this.openText(value, [...aboutMessage(message), ...path]);
      if (opened === 'tampered') throw tampered(message.type, path);
      if (opened === 'erased') erased = true;
      else keys.push(opened.key);
      replaceAt(data, path, opened === 'erased' ? placeholderFor(message.type, path) : parsed(opened.text));
    }
    return { ...rest, ...(erased ? { [ERASED]: true as const } : {}), [KEYS]: distinct(keys), data };
  }

  /**
   * Something that was made of messages, its personal values encrypted with keys that there are: of a person without a key,
   * who has been forgotten, it holds what stands in for the data.
   *
   * @param about what it is, and where it stands
   */
  async sealDerived(derived: unknown, plan: PersonalPlan, about: readonly string[]): Promise<string> {
    const data = asJson(derived);
    const what = about.join(' ');
    const { paths } = await this.sealAll(data, [plan], what, about, (subject) => this.ring.existing(subject));
    return JSON.stringify({ personaldata: pointersOf(paths), data });
  }

  /**
   * What {@link sealDerived} has encrypted.
   *
   * @throws MessageError `tampered-data`
   */
  async openDerived(text: string, plan: PersonalPlan, about: readonly string[]): Promise<unknown> {
    const { personaldata, data } = parsed(text) as { readonly personaldata?: unknown; readonly data?: unknown };
    if (typeof personaldata !== 'string') throw tampered(about.join(' '), []);
    for (const path of personaldata === '' ? [] : pathsIn(personaldata)) {
      const opened = await this.openText(valueAt(data, path), [...about, ...path]);
      if (opened === 'tampered') throw tampered(about.join(' '), path);
      replaceAt(data as object, path, opened === 'erased' ? placeholderIn([plan], path) : parsed(opened.text));
    }
    return data;
  }

  /** Encrypts personal values where they stand. */
  private async sealAll(
    data: unknown,
    plans: readonly PersonalPlan[],
    what: string,
    about: readonly string[],
    keyOf: (subject: string) => Promise<SubjectKey | undefined>,
  ): Promise<{ readonly paths: readonly (readonly string[])[]; readonly keys: readonly SubjectKeyRef[] }> {
    const values = plans.flatMap((plan): PersonalValue[] => [...personalValues(data, plan, what)]);
    const paths: (readonly string[])[] = [];
    const keys: SubjectKeyRef[] = [];
    // The outer ones first: what stands in them is encrypted with them.
    for (const { path, subject, value } of values.toSorted((a, b) => a.path.length - b.path.length)) {
      if (paths.some((other) => other.every((name, i) => name === path[i]))) continue;
      const key = await keyOf(subject);
      if (!key) {
        replaceAt(data as object, path, placeholderIn(plans, path));
        continue;
      }
      replaceAt(data as object, path, sealed(subject, key, JSON.stringify(value), [...about, ...path]));
      paths.push(path);
      keys.push({ subject, id: key.id });
    }
    return { paths, keys: distinct(keys) };
  }

  /**
   * Encrypts what was made of the personal data of several people, one key over the other, so that it can be read while all
   * the keys are there. Undefined when one of them has been deleted meanwhile.
   *
   * @param about what it is, and where it stands
   */
  async sealWith(keys: readonly SubjectKeyRef[], text: string, about: readonly string[]): Promise<string | undefined> {
    let layered = text;
    for (const { subject, id } of keys) {
      const key = await this.ring.find(subject, id);
      if (!key) return undefined;
      layered = sealed(subject, key, layered, about);
    }
    return layered;
  }

  /** What {@link sealWith} has encrypted with so many keys; undefined: it cannot be read, or not any more. */
  async openLayers(layers: number, text: string, about: readonly string[]): Promise<OpenedLayers | undefined> {
    const keys: SubjectKeyRef[] = [];
    let inner = text;
    for (let layer = 0; layer < layers; layer++) {
      const opened = await this.openText(inner, about);
      if (typeof opened === 'string') return undefined;
      keys.push(opened.key);
      inner = opened.text;
    }
    return { text: inner, keys: keys.toReversed() };
  }

  private async openText(
    value: unknown,
    about: readonly string[],
  ): Promise<{ readonly text: string; readonly key: SubjectKeyRef } | 'erased' | 'tampered'> {
    const parts = typeof value === 'string' ? SEALED.exec(value) : null;
    if (!parts) return 'tampered';
    const [, encoded, id, ciphertext] = parts as unknown as [string, string, string, string];
    const subject = Buffer.from(encoded, 'base64url').toString();
    const key = await this.ring.find(subject, id);
    if (!key) return 'erased';
    const text = decrypt(key.secret, ciphertext, [...about, subject, id]);
    return text === undefined ? 'tampered' : { text, key: { subject, id } };
  }
}

/** What several keys had closed. */
export interface OpenedLayers {
  readonly text: string;
  readonly keys: readonly SubjectKeyRef[];
}

function sealed(subject: string, { id, secret }: SubjectKey, text: string, about: readonly string[]): string {
  const ciphertext = encrypt(secret, text, [...about, subject, id]);
  return `mr1.${Buffer.from(subject).toString('base64url')}.${id}.${ciphertext}`;
}

function distinct(keys: readonly SubjectKeyRef[]): readonly SubjectKeyRef[] {
  return [...new Map(keys.map((key) => [key.id, key])).values()];
}

/** Where a value stands that moves nowhere else. */
function aboutMessage({ subject = '', type, schemaversion = 1 }: Envelope): readonly string[] {
  return ['message', subject, type, String(schemaversion)];
}

function asJson(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data)) as unknown;
}

function parsed(text: string): unknown {
  return JSON.parse(text) as unknown;
}

function tampered(type: string, path: readonly string[]): MessageError {
  return new MessageError(
    'tampered-data',
    `${type}: ${path.join('.')} is personal data and was not encrypted as what it is, where it is: it has been changed, ` +
      `or comes from another stream, type, version or property`,
  );
}
