import type { Envelope } from '@millrace/messages';
import { TransformError } from './transform.js';
import type { Transform } from './transform.js';

/**
 * Applies transforms in their declared order, each at most once, so that two opposite translations cannot circle.
 *
 * @throws TransformError that names the transform which threw
 */
export function pipeline(transforms: readonly Transform[]): (message: Envelope) => Envelope {
  if (transforms.length === 0) return (message) => message;
  const types = new Set(transforms.map((transform) => transform.from));
  return (message) => (types.has(message.type) ? transforms.reduce(step, message) : message);
}

function step(message: Envelope, transform: Transform): Envelope {
  if (message.type !== transform.from) return message;
  if (transform.version !== undefined && transform.version !== (message.schemaversion ?? 1)) return message;
  try {
    return transform.apply(message);
  } catch (cause) {
    throw new TransformError(transform.name, cause);
  }
}
