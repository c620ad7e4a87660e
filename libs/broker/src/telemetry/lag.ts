import type { Attributes, BatchObservableCallback, Meter } from '@opentelemetry/api';
import { addressOf } from '../core/partition.js';
import type { Partition } from '../core/partition.js';
import type { ObservedFigures } from '../core/telemetry.js';

/**
 * What waits for groups, as gauges, read from the store whenever metrics are collected. Every process of a service tells the
 * same, about its groups as a whole: take the maximum, not the sum.
 *
 * @returns ends it
 */
export function observeLag(meter: Meter, figures: () => Promise<ObservedFigures>): () => void {
  const gauge = (name: string, description: string) =>
    meter.createObservableGauge(name, { unit: '{message}', description });
  const lag = gauge('millrace.group.lag', 'Messages that the group has not been given yet');
  const pending = gauge('millrace.group.pending', 'Messages that the group was given and has not settled');
  const kept = gauge('millrace.dead_letters.kept', 'Dead letters kept in the partitions of the service');
  const observe: BatchObservableCallback = async (result) => {
    const { groups, deadLetters } = await figures();
    for (const each of groups) {
      const attributes = {
        ...at(each.partition),
        'messaging.consumer.group.name': each.group,
        'millrace.log': each.log,
      };
      result.observe(lag, each.lag, attributes);
      result.observe(pending, each.pending, attributes);
    }
    for (const { partition, count } of deadLetters) result.observe(kept, count, at(partition));
  };
  const gauges = [lag, pending, kept];
  meter.addBatchObservableCallback(observe, gauges);
  return () => meter.removeBatchObservableCallback(observe, gauges);
}

function at(partition: Partition): Attributes {
  return { 'messaging.destination.partition.id': addressOf(partition) };
}
