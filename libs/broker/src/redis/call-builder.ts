import { youngList } from '../core/young-list.js';
import { CompiledCommit, SharedValues } from './compiled-commit.js';
import { Shape } from './shape.js';

/**
 * Puts a commit together as a call of a script, op by op, each with its keys and values. A run of the same op becomes one loop
 * with a count, so that shapes stay few.
 */
export class CallBuilder {
  private shape = Shape.NONE;
  private last: string | undefined;
  /** Times that the last op follows itself, and where its values begin. */
  private times = 0;
  private start = 0;
  private readonly keys = youngList<string>();
  private readonly args = youngList<string | number>();
  private readonly sharedKeys = youngList<string>();
  private readonly sharedArgs = youngList<string | number>();

  /** Begins an op. What belongs to it follows. */
  op(name: string): this {
    if (name === this.last) {
      if (++this.times === 2) this.args.splice(this.start, 0, 2);
      else this.args[this.start] = this.times;
      return this;
    }
    this.end();
    this.last = name;
    this.times = 1;
    this.start = this.args.length;
    return this;
  }

  key(key: string): this {
    this.keys.push(key);
    return this;
  }

  allKeys(keys: readonly string[]): this {
    for (const key of keys) this.keys.push(key);
    return this;
  }

  arg(value: string | number): this {
    this.args.push(value);
    return this;
  }

  /** A key that other commits of the partition have, too. */
  sharedKey(key: string): this {
    this.sharedKeys.push(key);
    return this;
  }

  allSharedKeys(keys: readonly string[]): this {
    for (const key of keys) this.sharedKeys.push(key);
    return this;
  }

  /** An argument that other commits of the partition have, too. */
  sharedArg(value: string | number): this {
    this.sharedArgs.push(value);
    return this;
  }

  allArgs(values: readonly (string | number)[]): this {
    for (const value of values) this.args.push(value);
    return this;
  }

  /** It holds nothing that could be added to any more. */
  done(): CompiledCommit {
    this.end();
    return new CompiledCommit(
      this.shape.name,
      this.keys,
      this.args,
      new SharedValues(this.sharedKeys, this.sharedArgs),
    );
  }

  private end(): void {
    if (this.last !== undefined) this.shape = this.shape.with(this.last, this.times > 1);
  }
}
