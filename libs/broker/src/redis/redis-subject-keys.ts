import { randomUUID } from 'node:crypto';
import { StoreUnavailableError } from '../core/errors.js';
import { KeyBuilder } from '../core/keys.js';
import { checkOptions } from '../core/options/check-options.js';
import type { SubjectKeys } from '../core/personal-data/subject-keys.js';
import { openClusterConnection } from './cluster-connection.js';
import { openConnection } from './redis-connection.js';
import type { RedisConnection } from './redis-connection.js';
import { explainRedisError } from './redis-errors.js';
import { STORE_RULES } from './redis-store-options.js';
import type { RedisStoreOptions } from './redis-store-options.js';

/** Where the keys are: `url` or `cluster`, `namespace`, `deadlineMs`. */
export type RedisSubjectKeysOptions = Omit<RedisStoreOptions, 'delivery' | 'patienceMs'>;

/**
 * Keys of data subjects as strings in Redis, spread over all nodes of a cluster. Better another Redis than that of the
 * events: what is deleted here must not come back with a backup, and lives on in an append-only file until it is rewritten
 * (BGREWRITEAOF).
 */
export class RedisSubjectKeys implements SubjectKeys {
  private readonly connection: RedisConnection;
  private readonly keys: KeyBuilder;
  private readonly url: string | undefined;

  /** Connects when it is first asked. @throws ConfigurationError for options that cannot work */
  constructor(options: RedisSubjectKeysOptions = {}) {
    checkOptions('the keys of data subjects', options, STORE_RULES);
    this.keys = new KeyBuilder(options.namespace);
    this.url = options.url;
    const name = `millrace-keys:${randomUUID()}`;
    const deadlineMs = options.deadlineMs ?? 10_000;
    this.connection = options.cluster
      ? openClusterConnection(options, name, deadlineMs)
      : openConnection(options, name, deadlineMs);
  }

  async get(subject: string): Promise<string | undefined> {
    return textOf(await this.ask('GET', [this.keys.subjectKey(subject)]));
  }

  /** SET with NX and GET: one of two at once finds the key of the other. */
  async create(subject: string, key: string): Promise<string> {
    return textOf(await this.ask('SET', [this.keys.subjectKey(subject), key, 'NX', 'GET'])) ?? key;
  }

  async delete(subject: string): Promise<boolean> {
    return (await this.ask('DEL', [this.keys.subjectKey(subject)])) === 1;
  }

  close(): Promise<void> {
    return this.connection.quit();
  }

  /** All of these can be repeated, so a lost reply is no more than an attempt that failed. */
  private async ask(command: string, args: readonly string[]): Promise<unknown> {
    try {
      return await this.connection.send(command, args);
    } catch (cause) {
      if (cause instanceof StoreUnavailableError) throw cause;
      throw new StoreUnavailableError(`keys of data subjects: ${explainRedisError(cause, this.url)}`, { cause });
    }
  }
}

function textOf(answer: unknown): string | undefined {
  return typeof answer === 'string' ? answer : undefined;
}
