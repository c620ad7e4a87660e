/** Lets work through one after the other for each name, in the order of the calls. */
export class Turns {
  private readonly last = new Map<string, Promise<void>>();

  /** @param names all of them are taken at once, so that none waits for who waits for it */
  async take<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = names.flatMap((name) => this.last.get(name) ?? []);
    let done = (): void => undefined;
    const turn = new Promise<void>((resolve) => (done = resolve));
    for (const name of names) this.last.set(name, turn);
    try {
      await Promise.all(before);
      return await work();
    } finally {
      for (const name of names) if (this.last.get(name) === turn) this.last.delete(name);
      done();
    }
  }
}
