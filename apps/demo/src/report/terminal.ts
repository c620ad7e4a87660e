import { SingleBar } from 'cli-progress';
import pc from 'picocolors';

/** What people read. With `--json` it goes to standard error, so that standard output has only the result. */
export class Terminal {
  readonly colors;
  private readonly bar: SingleBar | undefined;
  private total = 0;
  private plainStep = 0;

  constructor(private readonly out: NodeJS.WriteStream) {
    this.colors = pc.createColors(pc.isColorSupported && out.isTTY);
    if (process.stderr.isTTY) {
      const format = '{total} orders  {bar} {value}/{total}  {note}';
      this.bar = new SingleBar({
        format,
        stream: process.stderr,
        barsize: 30,
        hideCursor: true,
        clearOnComplete: true,
      });
    }
  }

  say(line = ''): void {
    this.out.write(`${line}\n`);
  }

  startProgress(total: number): void {
    this.total = total;
    this.bar?.start(total, 0, { note: '' });
  }

  /** A bar on a terminal; elsewhere a line for every tenth of the orders. */
  progress(ended: number, note = ''): void {
    this.bar?.update(ended, { note });
    const step = Math.floor((10 * ended) / this.total);
    if (this.bar || step === this.plainStep) return;
    this.plainStep = step;
    this.say(`  ${ended} of ${this.total} orders have ended${note && `  ${note}`}`);
  }

  endProgress(): void {
    this.bar?.stop();
  }
}
