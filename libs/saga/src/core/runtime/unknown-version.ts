import { MillraceError } from '@millrace/broker';
import type { SagaInstance } from '../instance.js';

/** An instance goes on with a definition that this process does not have: an older one, or one that is deployed just now. */
export class UnknownSagaVersionError extends MillraceError {
  override readonly name = 'UnknownSagaVersionError';
  readonly code = 'unknown-saga-version';
  readonly saga: string;
  readonly id: string;
  readonly version: number;
  readonly hash: string;

  constructor({ saga, id, version, hash }: Pick<SagaInstance, 'saga' | 'id' | 'version' | 'hash'>) {
    super(
      `saga '${saga}' ${id} is under way in version ${version} (${hash}), which this process does not run: keep the class of ` +
        `that version beside the new one, @Saga('${saga}', { version: ${version} }), until its instances have ended, or migrate them`,
    );
    this.saga = saga;
    this.id = id;
    this.version = version;
    this.hash = hash;
  }
}
