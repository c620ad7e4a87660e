import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * An append-only file of JSON lines that several processes may append to. A line is whole when its end of line is
 * there; what a killed process left of a line is skipped.
 */
export class LedgerFile<Line extends object> {
  private read = 0;
  private torn = false;

  /** @param onLine gets every line once, in order */
  constructor(
    private readonly path: string,
    private readonly onLine: (line: Line) => void,
  ) {}

  /** Takes in what has been appended since. */
  refresh(): void {
    if (!existsSync(this.path)) return;
    const file = openSync(this.path, 'r');
    try {
      const news = Buffer.alloc(fstatSync(file).size - this.read);
      readSync(file, news, 0, news.length, this.read);
      const whole = news.lastIndexOf(0x0a) + 1;
      this.torn = whole < news.length;
      this.read += whole;
      for (const text of news.toString('utf8', 0, whole).split('\n')) this.take(text);
    } finally {
      closeSync(file);
    }
  }

  append(line: Line): void {
    // A torn line gets its end, so that it does not swallow this one.
    appendFileSync(this.path, `${this.torn ? '\n' : ''}${JSON.stringify(line)}\n`);
    this.refresh();
  }

  private take(text: string): void {
    let line: unknown;
    try {
      line = JSON.parse(text);
    } catch {
      return; // what is left of a line that was never finished, or nothing after the last one
    }
    if (typeof line === 'object' && line !== null) this.onLine(line as Line);
  }
}
