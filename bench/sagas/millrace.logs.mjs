import { KeyBuilder } from '@millrace/broker';
import { watch } from './customer.mjs';

/** The keys of one log of each partition of a context: `feed` or `in`. */
export async function logsOf(broker, namespace, context, log) {
  const keys = new KeyBuilder(namespace);
  const partitions = await broker.partitionsOf(context);
  return Array.from({ length: partitions }, (_, index) => keys.log({ partition: { context, index }, log }));
}

/**
 * Tells the customer what the events of a type say, e.g. `saga.ended`, in the feeds of the service that runs the sagas.
 *
 * @returns ends it
 */
export async function watchSagas({ url, namespace }, broker, context, type, customer) {
  return watch(url, await logsOf(broker, namespace, context, 'feed'), (text) => {
    if (!text.includes(`"${type}"`)) return;
    const { id, outcome } = JSON.parse(text).data;
    customer.ended(id, outcome);
  });
}
