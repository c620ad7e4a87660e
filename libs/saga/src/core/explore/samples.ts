import { ConfigurationError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';

/** Messages and values that stand for those that a saga would get. */
export class Samples {
  constructor(
    private readonly given: readonly object[] = [],
    private readonly answers: Readonly<Record<string, readonly unknown[]>> = {},
    /** A saga in code gets messages as they are stored, which those that are made up are not. */
    private readonly inCode: boolean = false,
  ) {}

  /**
   * Messages of a class: those given, or one that is made up.
   *
   * @throws ConfigurationError when none is given for a saga in code
   */
  of(type: MessageClass): readonly object[] {
    const contract = contractOf(type);
    const same = this.given.filter((each) => contractOf(each).type === contract.type);
    if (same.length > 0) return same;
    if (this.inCode) {
      throw new ConfigurationError(
        `for a saga in code no ${contract.type} is made up: give explore { samples: [new ${type.name}(...)] }`,
      );
    }
    return [madeUp(contract.type, type.prototype as object)];
  }

  /** What the function of a step, or a child, answers. */
  answersOf(step: string): readonly unknown[] {
    return this.answers[step] ?? [madeUp(step)];
  }

  /**
   * The replies to a command of a saga in code: those given for its step or for its type, else one of each class that its contract
   * lists.
   *
   * @throws ConfigurationError when nobody says which they are
   */
  repliesTo(step: string, command: object): readonly object[] {
    const { type, replies } = contractOf(command);
    const given = this.answers[step] ?? this.answers[type];
    if (given) return given as readonly object[];
    if (replies) return replies.flatMap((each) => this.of(each));
    throw new ConfigurationError(
      `what answers '${step}' is not known: give explore { answers: { '${type}': [...] } }, or @Command('${type}', { replies: [...] })`,
    );
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
