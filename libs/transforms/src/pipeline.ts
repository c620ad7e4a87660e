import type { Envelope } from '@millrace/messages';
import { TransformError } from './transform-error.js';
import { ANY_TYPE, takes } from './transform.js';
import type { GatherTransform, Passage, Transform } from './transform.js';

/** A message that has come as far as it can without waiting, multiplying or being kept: before the step at `at`. */
export class Halted {
  constructor(
    readonly message: Envelope,
    /** Index of the step that takes it next. */
    readonly at: number,
  ) {}
}

/** Adds a message to its aggregate: the combined message when that is complete now. `step` is for errors. */
export type Gather = (transform: GatherTransform, message: Envelope, step: number) => Promise<Envelope | undefined>;

/**
 * Transforms in their declared order, each applied at most once, so that two opposite translations cannot circle. What one
 * gives, those behind it take.
 */
export class Pipeline {
  private readonly types: ReadonlySet<string>;
  private readonly any: boolean;

  constructor(readonly transforms: readonly Transform[]) {
    this.types = new Set(transforms.flatMap(({ from }) => from));
    this.any = this.types.has(ANY_TYPE);
  }

  /** Whether some transform takes this type as it comes. */
  concerns(type: string): boolean {
    return this.any || this.types.has(type);
  }

  /**
   * Applies the transforms up to the first that does more than map.
   *
   * @returns the message, or where it stopped
   * @throws TransformError that names the transform which threw, and its step
   */
  begin(message: Envelope): Envelope | Halted {
    return this.any || this.types.has(message.type) ? this.advance(message, 0) : message;
  }

  /**
   * What a message waits in line for that stopped before an aggregate: others of its correlation change the same state.
   *
   * @throws TransformError
   */
  laneOf({ message, at }: Halted): string | undefined {
    const transform = this.transforms[at]!;
    if (transform.shape !== 'gather') return undefined;
    try {
      return `${transform.name} ${transform.correlate(message)}`;
    } catch (cause) {
      throw new TransformError(transform.name, at + 1, cause);
    }
  }

  /**
   * Everything from where the message stopped: what it became, in order. Nothing here waits unless a transform does.
   *
   * @throws TransformError as `begin`; `retryable` when the transform waits for something
   */
  async finish({ message, at }: Halted, gather: Gather): Promise<Passage[]> {
    return this.from({ message }, at, gather);
  }

  /** What the combined message of an aggregate becomes behind it. */
  async after(transform: GatherTransform, message: Envelope, gather: Gather): Promise<Passage[]> {
    return this.continue({ message }, this.transforms.indexOf(transform) + 1, gather);
  }

  /**
   * The rest of the way of what stays one message: it waits where it has to, and halts before the first step that
   * multiplies, routes or keeps it.
   *
   * @throws TransformError as `finish`
   */
  async asOne(halted: Halted): Promise<Envelope | Halted> {
    const { message, at } = halted;
    if (this.transforms[at]!.shape !== 'wait') return halted;
    const [passage] = await this.run(this.transforms[at]!, { message }, at, neverGathers);
    const next = this.advance(passage!.message, at + 1);
    return next instanceof Halted ? this.asOne(next) : next;
  }

  private async continue(passage: Passage, at: number, gather: Gather): Promise<Passage[]> {
    const next = this.advance(passage.message, at);
    if (!(next instanceof Halted)) return [next === passage.message ? passage : { ...passage, message: next }];
    return this.from({ ...passage, message: next.message }, next.at, gather);
  }

  /** @param at the index of a step that takes the message and is no map */
  private async from(passage: Passage, at: number, gather: Gather): Promise<Passage[]> {
    const transform = this.transforms[at]!;
    const results: Passage[] = [];
    for (const result of await this.run(transform, passage, at, gather)) {
      results.push(...(await this.continue(result, at + 1, gather)));
    }
    return results;
  }

  private async run(transform: Transform, passage: Passage, at: number, gather: Gather): Promise<readonly Passage[]> {
    if (transform.shape === 'gather') {
      const whole = await gather(transform, passage.message, at + 1);
      return whole ? [{ ...passage, message: whole }] : [];
    }
    try {
      if (transform.shape === 'expand') {
        return transform.apply(passage.message).map((result) => inherit(passage, result));
      }
      return [{ ...passage, message: await transform.apply(passage.message) }];
    } catch (cause) {
      throw new TransformError(transform.name, at + 1, cause, transform.shape === 'wait');
    }
  }

  private advance(message: Envelope, from: number): Envelope | Halted {
    let current = message;
    for (let at = from; at < this.transforms.length; at++) {
      const transform = this.transforms[at]!;
      if (!takes(transform, current)) continue;
      if (transform.shape !== 'map') return new Halted(current, at);
      try {
        current = transform.apply(current);
      } catch (cause) {
        throw new TransformError(transform.name, at + 1, cause);
      }
    }
    return current;
  }
}

const neverGathers: Gather = () => Promise.resolve(undefined);

/** A result keeps the route and the kind of what it came from, unless it has its own; a tap goes its own way. */
function inherit({ route, kind, tapped }: Passage, result: Passage): Passage {
  if (result.tapped || (route === undefined && kind === undefined && tapped === undefined)) return result;
  return {
    ...(route === undefined ? {} : { route }),
    ...(kind === undefined ? {} : { kind }),
    ...(tapped ? { tapped } : {}),
    ...result,
  };
}

/**
 * Applies maps in their declared order, without a broker.
 *
 * @throws TransformError that names the transform which threw; and for one that does more than map
 */
export function pipeline(transforms: readonly Transform[]): (message: Envelope) => Envelope {
  const steps = new Pipeline(transforms);
  return (message) => {
    const result = steps.begin(message);
    if (!(result instanceof Halted)) return result;
    const { name } = transforms[result.at]!;
    throw new TransformError(name, result.at + 1, new Error('it does more than map a message to a message'));
  };
}
