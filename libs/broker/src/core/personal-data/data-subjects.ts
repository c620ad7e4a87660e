import type { Broker } from '../broker.js';
import { ConfigurationError } from '../errors.js';

/** The people whose data messages hold. Injectable. */
export class DataSubjects {
  constructor(private readonly broker: Broker) {}

  /**
   * Makes all personal data of a person unreadable, wherever they are kept, by deleting the person's key: in this process
   * at once, in others within `cacheMs`. It cannot be undone. What is written about the person from then on gets a new key.
   *
   * @returns false when there was nothing
   * @throws ConfigurationError without `personalData`
   */
  async forget(subject: string): Promise<boolean> {
    const { personalData, context } = this.broker;
    if (personalData) return personalData.forget(subject);
    throw new ConfigurationError(
      `service '${context}' has no keys that could be deleted: give the module personalData: { keys, masterKey }`,
    );
  }
}
