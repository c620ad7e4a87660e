import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import { decodeData, DEFAULT_LIMITS, MessageError } from '@millrace/messages';
import type { Envelope, MessageLimits } from '@millrace/messages';
import { ANY_TYPE } from './transform.js';
import type { MapTransform } from './transform.js';

/** How data are compressed, by the names of HTTP's Content-Encoding. */
export type DataEncoding = 'gzip' | 'br';

export interface Compression {
  /** Data of fewer bytes stay as they are. Default 1024. */
  readonly overBytes?: number;
  /** `gzip`, or `br` (Brotli: smaller, slower). Default `gzip`. */
  readonly encoding?: DataEncoding;
}

/**
 * Compresses the data of large messages, whatever their type. The message says so itself, in `dataencoding`, so every
 * consumer brings them back without being told. Data that would not become smaller stay as they are.
 *
 * At the publishing side, and behind whatever looks at the data.
 */
export function compress({ overBytes = 1024, encoding = 'gzip' }: Compression = {}): MapTransform {
  return {
    kind: 'compress',
    shape: 'map',
    name: `compress ${encoding} over ${overBytes} bytes`,
    from: [ANY_TYPE],
    to: [ANY_TYPE],
    apply: (message) => {
      if (message.data === undefined) return message;
      const text = Buffer.from(JSON.stringify(message.data));
      if (text.length <= overBytes) return message;
      if (text.length > DEFAULT_LIMITS.maxRestoredBytes) {
        throw new MessageError(
          'too-large',
          `${message.type} has ${text.length} bytes of data: no consumer takes so many`,
        );
      }
      const { data: _data, ...rest } = message;
      const data_base64 = CODECS[encoding].compress(text).toString('base64');
      return data_base64.length < text.length
        ? { ...rest, dataencoding: encoding, data_base64, data: undefined }
        : message;
    },
  };
}

/**
 * A message with its data, if they are compressed. Others are given back as they are.
 *
 * @throws MessageError `malformed`, `not-json`, `too-large` or `too-deep`
 */
export function decompressed(message: Envelope, limits: MessageLimits = DEFAULT_LIMITS): Envelope {
  if (message.dataencoding === undefined || message.data_base64 === undefined) return message;
  const { dataencoding: encoding, data_base64, ...rest } = message;
  const limit = limits.maxRestoredBytes ?? DEFAULT_LIMITS.maxRestoredBytes;
  if (!Object.hasOwn(CODECS, encoding)) {
    const known = Object.keys(CODECS).join(', ');
    throw new MessageError('malformed', `${message.type} has dataencoding '${encoding}'; known are: ${known}`);
  }
  let text: string;
  try {
    const bytes = Buffer.from(data_base64, 'base64');
    text = CODECS[encoding as DataEncoding].restore(bytes, limit).toString();
  } catch (cause) {
    throw (cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE'
      ? new MessageError('too-large', `${message.type}: its data have more than ${limit} bytes`, { cause })
      : new MessageError('malformed', `${message.type}: its data are no ${encoding}: ${(cause as Error).message}`, {
          cause,
        });
  }
  return { ...rest, data: decodeData(text, limits, message.type) };
}

/** The second argument of `restore` ends a bomb before it fills the memory. */
const CODECS = {
  gzip: {
    compress: (bytes: Buffer) => gzipSync(bytes),
    restore: (bytes: Buffer, maxOutputLength: number) => gunzipSync(bytes, { maxOutputLength }),
  },
  br: {
    // Quality 5: most of what the best one saves, at the pace of gzip.
    compress: (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    restore: (bytes: Buffer, maxOutputLength: number) => brotliDecompressSync(bytes, { maxOutputLength }),
  },
} as const;
