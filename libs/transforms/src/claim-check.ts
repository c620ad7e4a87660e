import { inspect } from 'node:util';
import { contractOf, decodeData, DEFAULT_LIMITS, MessageError } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import type { ClaimStore } from './claims/claim-store.js';
import { decompressed } from './compress.js';
import { TransformDeclarationError } from './transform-error.js';
import { ANY_TYPE } from './transform.js';
import type { WaitTransform } from './transform.js';

export interface ClaimCheckOptions {
  /** Data of fewer bytes stay in the message. Default 64 KiB. */
  readonly overBytes?: number;
  /** How long a claim is kept, ms: longer than any message may wait, dead letters included. Default 7 days. */
  readonly ttlMs?: number;
  /** Messages of these contracts only. Default: all; a service with a history has to say which, because claims expire. */
  readonly of?: readonly MessageClass[];
}

const WEEK_MS = 7 * 86_400_000;
const SCHEME = 'claim:';

/**
 * Claim Check: leaves large data in a store and puts a ticket into the message instead, its `dataref` (CloudEvents claim
 * check extension). The store is written before the message: what nobody claims expires.
 *
 * At the publishing side, behind whatever looks at the data; {@link restoreClaims} at the consuming side.
 *
 * @see https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/dataref.md
 */
export function claimCheck(store: ClaimStore, options: ClaimCheckOptions = {}): WaitTransform {
  const { overBytes = 64 * 1024, ttlMs = WEEK_MS, of, ...unknown } = options;
  const [name] = Object.keys(unknown);
  if (name !== undefined) {
    throw new TransformDeclarationError(`claim-check has ${name}, which is no option: write overBytes, ttlMs or of`);
  }
  if (typeof (Object(store) as Partial<ClaimStore>).put !== 'function') {
    throw new TransformDeclarationError(
      'claim-check has no store: give it a ClaimStore, such as RedisPartitionStore.claims',
    );
  }
  if (!(overBytes >= 0)) {
    throw new TransformDeclarationError(`claim-check has overBytes: ${overBytes}; it must be a number of at least 0`);
  }
  if (!(ttlMs > 0)) throw new TransformDeclarationError(`claim-check has ttlMs: ${ttlMs}; it must be a number above 0`);
  if (of !== undefined && !(Array.isArray(of) && of.length > 0)) {
    throw new TransformDeclarationError(`claim-check has of: ${inspect(of)}; list at least one class of messages`);
  }
  const types = of?.map((contract) => contractOf(contract).type);
  return {
    kind: 'claim-check',
    shape: 'wait',
    name: `claim-check ${types ? `of ${types.join(', ')} ` : ''}over ${overBytes} bytes`,
    from: types ?? [ANY_TYPE],
    to: [ANY_TYPE],
    ...(of ? { contracts: of } : {}),
    concerns: (message) => message.dataref === undefined && Buffer.byteLength(luggage(message)) > overBytes,
    apply: async (message) => {
      const { data: _data, dataencoding: _encoding, data_base64: _bytes, ...rest } = message;
      const text = luggage(message);
      const id = `${message.source}/${message.id}`;
      await store.put(id, text, ttlMs);
      return { ...rest, dataref: `${SCHEME}${id}`, data: undefined };
    },
  };
}

/**
 * The other side of a claim check: fetches what tickets stand for. Declare it before whatever looks at the data. A claim
 * that has expired dead-letters the message at once; a store that does not answer is tried again.
 */
export function restoreClaims(store: ClaimStore): WaitTransform {
  return {
    kind: 'restore-claims',
    shape: 'wait',
    name: 'restore-claims',
    from: [ANY_TYPE],
    to: [ANY_TYPE],
    concerns: ({ dataref }) => dataref !== undefined && dataref.startsWith(SCHEME),
    apply: (message) => restored(store, message),
  };
}

/** What of a message is left in the store. */
function luggage({ data, dataencoding, data_base64 }: Envelope): string {
  return JSON.stringify({ data, dataencoding, data_base64 });
}

async function restored(store: ClaimStore, message: Envelope): Promise<Envelope> {
  const { dataref, ...rest } = message;
  const id = dataref!.slice(SCHEME.length);
  const text = await store.get(id);
  if (text === undefined) {
    throw new MessageError(
      'claim-missing',
      `the data of ${message.type} are not in the claim store (any more): claim ${id} has expired, or was put elsewhere`,
    );
  }
  const kept = decodeData(text, DEFAULT_LIMITS, `claim ${id}`) as Partial<Envelope>;
  return decompressed({ ...rest, ...kept, data: kept.data });
}
