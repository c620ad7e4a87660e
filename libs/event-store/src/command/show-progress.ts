import { addressOf } from '@millrace/broker';
import { MultiBar } from 'cli-progress';
import type { SingleBar } from 'cli-progress';
import type { BuildProgress } from '../core/projection-control.js';

/** A bar for each partition on a terminal; else a line each time something has changed. */
export async function showProgress(
  progress: AsyncIterable<BuildProgress>,
  output: NodeJS.WriteStream = process.stdout,
): Promise<void> {
  if (!output.isTTY) {
    for await (const { build, places } of progress) {
      output.write(`${build}  ${places.map(({ position, head }) => `${position}/${head}`).join('  ')}\n`);
    }
    return;
  }
  const format = '{partition}  {bar}  {value}/{total}  {eta_formatted}';
  const bars = new MultiBar({ format, stream: output, hideCursor: true });
  const byPartition = new Map<number, SingleBar>();
  try {
    for await (const { places } of progress) {
      for (const { partition, position, head } of places) {
        const bar = byPartition.get(partition.index);
        if (bar) bar.setTotal(head);
        else byPartition.set(partition.index, bars.create(head, 0, { partition: addressOf(partition) }));
        byPartition.get(partition.index)!.update(position);
      }
    }
  } finally {
    bars.stop();
  }
}
