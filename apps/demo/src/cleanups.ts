/** What must be undone at the end, the last thing first. */
export class Cleanups {
  private readonly stack: (() => Promise<unknown>)[] = [];
  private running: Promise<void> | undefined;

  add(cleanup: () => Promise<unknown>): void {
    this.stack.push(cleanup);
  }

  /** Undoes everything, also when something of it fails. Idempotent. */
  run(): Promise<void> {
    return (this.running ??= this.undo());
  }

  private async undo(): Promise<void> {
    for (let cleanup = this.stack.pop(); cleanup; cleanup = this.stack.pop()) {
      await cleanup().catch((error: unknown) => console.error('While cleaning up:', error));
    }
  }
}
