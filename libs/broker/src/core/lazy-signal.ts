/**
 * An AbortSignal that is made when somebody asks for it. Most who may never do, and making one, following another, takes longer
 * than handling a message.
 */
export class LazySignal {
  private own: AbortController | undefined;
  private made: AbortSignal | undefined;
  private cause: { readonly reason: unknown } | undefined;

  /** @param parents signals that abort this one, too; asked for together with it */
  constructor(private readonly parents: () => readonly AbortSignal[] = () => []) {}

  get signal(): AbortSignal {
    if (!this.made) {
      this.own = new AbortController();
      if (this.cause) this.own.abort(this.cause.reason);
      const parents = this.parents();
      this.made = parents.length === 0 ? this.own.signal : AbortSignal.any([this.own.signal, ...parents]);
    }
    return this.made;
  }

  abort(reason: unknown): void {
    this.cause ??= { reason };
    this.own?.abort(reason);
  }
}
