import { encode, MessageError } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { exitTypes, Halted, nextStop, TransformError } from '@millrace/transforms';
import type { Passage, Pipeline } from '@millrace/transforms';
import { answer, answerAll, isStream } from './answer.js';
import type { Answered } from './answer.js';
import type { Broker } from './broker.js';
import { ConfigurationError, MillraceError } from './errors.js';
import { Gathering } from './gathering.js';
import type { GatherTimeout } from './gathering.js';
import type { HandlerDeclaration, HandlerGroup, MessageContext } from './handler.js';
import { dataOf } from './message-data.js';
import { Published } from './published.js';
import { send } from './sending.js';
import { UnitOfWork } from './unit-of-work.js';

/** One entry on the way, in its unit of work. */
interface Journey {
  readonly unit: UnitOfWork;
  readonly gathering: Gathering;
  readonly context: MessageContext;
}

/**
 * The way in of messages that do more than become another one at once: they wait, multiply, choose a route, are gathered or
 * travel on. It is a handler like any other, so what fails is tried again, and all that comes of one entry, whichever
 * handlers it reaches, is one unit of work and one commit.
 */
export class InboundWay {
  private readonly relevant = new Map<string, boolean>();

  /** @param pipeline the inbound transforms of the service and of the group */
  constructor(
    private readonly broker: Broker,
    private readonly group: HandlerGroup,
    private readonly pipeline: Pipeline,
  ) {}

  /** Whether anything that becomes of this type has a handler in the group. */
  isRelevant(type: string): boolean {
    let relevant = this.relevant.get(type);
    if (relevant === undefined) {
      relevant = exitTypes(this.pipeline.transforms, type).some((each) => this.group.takes(each));
      this.relevant.set(type, relevant);
    }
    return relevant;
  }

  /** Takes a message through the rest of its transforms to the handlers of what becomes of it. */
  rest(halted: Halted): HandlerDeclaration {
    return this.handler(halted.message, async (journey) => {
      await this.deliverAll(await this.finish(this.pipeline, halted, journey), journey);
    });
  }

  /** Takes a message through its handler's own transforms. */
  through(handler: HandlerDeclaration, message: Envelope): HandlerDeclaration {
    return this.handler(message, (journey) => this.deliverTo(handler, { message }, journey));
  }

  /** Ends an aggregate whose time is over. */
  timeout(message: Envelope): HandlerDeclaration {
    const timeout = message.data as GatherTimeout;
    return this.handler(message, async (journey) => {
      for (const { pipeline, handler } of this.pipelines()) {
        const at = pipeline.transforms.findIndex(({ shape, name }) => shape === 'gather' && name === timeout.transform);
        const transform = pipeline.transforms[at];
        if (transform?.shape !== 'gather') continue;
        const whole = await journey.gathering.expire(transform, timeout, at + 1);
        if (!whole) return;
        const passages = await this.guarded(() =>
          pipeline.after(transform, whole, (...args) => journey.gathering.gather(...args)),
        );
        if (!handler) return this.deliverAll(passages, journey);
        for (const passage of passages) await this.call(handler, passage, journey);
        return;
      }
    });
  }

  private *pipelines(): Generator<{ pipeline: Pipeline; handler?: HandlerDeclaration }> {
    yield { pipeline: this.pipeline };
    for (const handler of this.group.declared) {
      const pipeline = this.group.pipelineOf(handler);
      if (pipeline) yield { pipeline, handler };
    }
  }

  private handler(message: Envelope, run: (journey: Journey) => Promise<void>): HandlerDeclaration {
    const { broker, group } = this;
    return {
      name: `transforms of ${message.type} in group '${group.name}'`,
      type: message.type,
      context: broker.context,
      log: 'in',
      // What becomes of the message is answered by the handler of that.
      ownReplies: true,
      handle: (_data, context) => {
        const unit = UnitOfWork.current(broker);
        // Of an event that every instance gets nothing is committed.
        const missing = (): never => {
          throw new ConfigurationError(
            `${message.type} in '${group.name}' is handled without a commit: aggregates and wire taps need a group`,
          );
        };
        return run({
          context,
          get unit() {
            return unit ?? missing();
          },
          get gathering() {
            return new Gathering(broker, group.name, unit ?? missing());
          },
        });
      },
    };
  }

  private async finish(pipeline: Pipeline, halted: Halted, journey: Journey): Promise<Passage[]> {
    let gathered = false;
    const passages = await this.guarded(() =>
      pipeline.finish(halted, (...args) => {
        gathered = true;
        return journey.gathering.gather(...args);
      }),
    );
    if (passages.length === 0 && !gathered) this.group.filtered++;
    return passages;
  }

  /** What the broker itself understands must not hide in a transform's error. */
  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof TransformError && error.cause instanceof MillraceError) throw error.cause;
      throw error;
    }
  }

  private async deliverAll(passages: readonly Passage[], journey: Journey): Promise<void> {
    for (const passage of passages) {
      const { message, route } = passage;
      const handler = passage.tapped ? undefined : this.group.find(message, route);
      if (handler) await this.deliverTo(handler, passage, journey);
      else if (passage.tapped) await this.sendOn(passage, journey);
      else if (route !== undefined) throw this.nobody('unknown-route', `${message.type} on route '${route}'`);
      else if (journey.context.entry.source.log !== 'feed') throw this.nobody('unknown-type', message.type);
    }
  }

  private async deliverTo(handler: HandlerDeclaration, passage: Passage, journey: Journey): Promise<void> {
    const own = this.group.pipelineOf(handler);
    const begun = own?.begin(passage.message) ?? passage.message;
    if (!(begun instanceof Halted)) return this.call(handler, { ...passage, message: begun }, journey);
    for (const result of await this.finish(own!, begun, journey)) {
      if (result.tapped) await this.sendOn(result, journey);
      else await this.call(handler, result, journey);
    }
  }

  private async call(handler: HandlerDeclaration, { message }: Passage, journey: Journey): Promise<void> {
    if (!handler.accepts && message.type !== handler.type) throw this.nobody('unknown-type', message.type);
    const data = dataOf(this.broker, message, handler);
    const context = Object.create(journey.context, {
      envelope: { value: message, enumerable: true },
    }) as MessageContext;
    await this.conclude(handler, message, data, journey, await handler.handle(data, context));
  }

  /** Passes a message on that still has stops before it, else answers it. */
  private async conclude(
    handler: HandlerDeclaration,
    message: Envelope,
    data: object,
    journey: Journey,
    result: object | void | null,
  ): Promise<void> {
    const { broker } = this;
    if (handler.ownReplies) return;
    const nothing = result === undefined || result === null || result instanceof Published;
    const passedOn = nothing || (handler.contract && result instanceof handler.contract);
    const answered = (): Answered => ({ broker, unit: journey.unit, command: message, handler });
    if (isStream(result)) return answerAll(answered(), result, journey.context.signal);
    if (!passedOn) return answer(answered(), result);
    const next = nextStop(message, nothing ? data : result);
    if (!next && message.replyto !== undefined) return answer(answered(), undefined);
    if (!next) return;
    const onward = await broker.messages.seal(next.message);
    journey.unit.emit(await broker.inboxFor(onward, next.route), encode(onward, broker.limits));
  }

  private async sendOn({ message, kind = 'event' }: Passage, { unit }: Journey): Promise<void> {
    const { feed, events, emits } = await send(this.broker, await this.broker.messages.pass(message, kind));
    if (feed) unit.stage(unit.partition ?? feed, { writes: [{ kind: 'append', events }] });
    for (const emit of emits) unit.emit(emit.to, emit.message);
  }

  private nobody(code: 'unknown-route' | 'unknown-type', what: string): MessageError {
    return new MessageError(code, `no handler for ${what} in group '${this.group.name}'`);
  }
}
