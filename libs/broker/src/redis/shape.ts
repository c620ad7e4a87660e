/**
 * Which ops a commit has, in which order. Shapes form a tree in which each is one op longer than the one above it: so every
 * commit of a shape gets the same text for it, which need not be put together and hashed anew.
 */
export class Shape {
  /** Of a commit that does nothing. */
  static readonly NONE = new Shape('');

  private readonly once = new Map<string, Shape>();
  private readonly repeated = new Map<string, Shape>();

  /** @param name the ops, separated by commas; one that is repeated ends with `*` */
  private constructor(readonly name: string) {}

  with(op: string, isRepeated: boolean): Shape {
    const longer = isRepeated ? this.repeated : this.once;
    let shape = longer.get(op);
    if (!shape) {
      const token = isRepeated ? `${op}*` : op;
      longer.set(op, (shape = new Shape(this.name === '' ? token : `${this.name},${token}`)));
    }
    return shape;
  }
}
