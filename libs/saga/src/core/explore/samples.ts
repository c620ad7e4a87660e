import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';

/** Messages and values that stand for those that a saga would get. */
export class Samples {
  constructor(
    private readonly given: readonly object[] = [],
    private readonly answers: Readonly<Record<string, readonly unknown[]>> = {},
  ) {}

  /** Messages of a class: those given, or one that is made up. */
  of(type: MessageClass): readonly object[] {
    const same = this.given.filter((each) => contractOf(each).type === contractOf(type).type);
    return same.length > 0 ? same : [madeUp(contractOf(type).type, type.prototype as object)];
  }

  /** What the function of a step, or a child, answers. */
  answersOf(step: string): readonly unknown[] {
    return this.answers[step] ?? [madeUp(step)];
  }
}

/** Every field of it that nobody knows is a text: its own name. As JSON it is a text. */
function madeUp(name: string, prototype: object = Object.prototype): object {
  return new Proxy(Object.create(prototype) as object, {
    get: (target, key, receiver): unknown => {
      if (key === Symbol.toPrimitive || key === 'toJSON') return () => name;
      if (typeof key === 'symbol' || key === 'then' || key in target) return Reflect.get(target, key, receiver);
      return key;
    },
  });
}
