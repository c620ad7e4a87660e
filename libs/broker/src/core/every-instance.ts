import { setMaxListeners } from 'node:events';
import type { Envelope } from '@millrace/messages';
import { afterFailure } from './after-failure.js';
import type { Broker } from './broker.js';
import type { ProcessSettings } from './consumer.js';
import { describe } from './dead-lettering.js';
import type { Message } from './decision.js';
import { Dispatcher } from './dispatcher.js';
import { drained, stoppedAfter } from './draining.js';
import { bytesOf } from './entry-bytes.js';
import { pause } from './pause.js';
import { Task } from './work.js';
import type { Slot } from './work.js';
import { FeedTail } from './feed-tail.js';
import type { GroupSettings } from './group-options.js';
import { alone } from './handler.js';
import type { HandlerDeclaration } from './handler.js';
import { HandlingContext } from './handling-context.js';
import type { Logger } from './logger.js';
import { MessageReader } from './message-reader.js';
import type { Entry } from './partition.js';

const FAILURE_PAUSE_MS = 200;

/**
 * One handler in one process that gets every event from its start on, whatever other processes do (Publish-Subscribe
 * Channel, Hohpe and Woolf). Nothing is kept for it: no group, no acknowledgement, no dead letter. Events of one key come
 * in order; a failure is tried again in memory, and logged when it is given up.
 */
export class EveryInstance {
  private readonly reader: MessageReader;
  private readonly dispatcher: Dispatcher;
  private readonly abort = new AbortController();
  private readonly abandoning = new AbortController();
  private readonly running = new Set<Envelope>();
  private tail: FeedTail | undefined;
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly broker: Broker,
    private readonly handler: HandlerDeclaration,
    private readonly settings: GroupSettings & Pick<ProcessSettings, 'blockMs' | 'drainMs'>,
    private readonly logger: Logger,
  ) {
    // Whatever waits for its time listens to these; Node takes more than ten for a leak.
    setMaxListeners(0, this.abort.signal, this.abandoning.signal);
    this.reader = new MessageReader(broker, alone({ ...handler, ownReplies: true }));
    this.dispatcher = new Dispatcher(settings.concurrency);
  }

  /** When it resolves, no event from now on is missed. */
  async start(): Promise<void> {
    this.tail = await FeedTail.open(this.broker, this.handler.context, (gap) => this.logger.warn(this.says(gap)));
    this.loop = this.run(this.tail);
  }

  /** Stops reading and finishes what is being handled, or gives it up when that takes too long. */
  async stop(): Promise<void> {
    this.abort.abort();
    await this.tail?.close();
    await drained(this.dispatcher.stop(), this.settings.drainMs, () => this.giveUp());
    await this.loop;
  }

  private async run(tail: FeedTail): Promise<void> {
    const { prefetch, prefetchBytes, readCount, blockMs } = this.settings;
    while (!this.abort.signal.aborted) {
      await this.dispatcher.below(prefetch, prefetchBytes);
      try {
        for (const entry of await tail.read(readCount, blockMs)) this.dispatch(entry);
      } catch (error) {
        if (this.abort.signal.aborted) return;
        this.logger.warn(this.says(describe(error)));
        await this.pause(FAILURE_PAUSE_MS);
      }
    }
  }

  private dispatch(entry: Entry): void {
    const received = this.reader.read(entry);
    if (received.kind === 'refused') {
      this.logger.error(
        this.says(`event ${entry.id} cannot be used (${received.reason}): ${describe(received.error)}`),
      );
    } else if (received.kind === 'message') {
      this.dispatcher.add(new Task(received.key, (slot) => this.handle(entry, received, slot), bytesOf(entry)));
    }
  }

  private async handle(entry: Entry, { envelope, handler, data }: Message, slot: Slot): Promise<void> {
    const { retry } = this.settings;
    for (let attempt = 1; ;) {
      this.running.add(envelope);
      try {
        await handler.handle(data, new HandlingContext(envelope, entry, attempt, this.abandoning.signal));
        return;
      } catch (error) {
        if (this.abandoning.signal.aborted) return;
        const now = this.broker.clock.now();
        const after = afterFailure(error, attempt, retry, now, Math.random());
        if (after.kind === 'given-up') {
          this.logger.error(this.says(`gave up ${envelope.type} ${envelope.id} (${after.reason}): ${describe(error)}`));
          return;
        }
        if (after.failed) attempt++;
        if (!(await slot.aside(() => this.pause(Math.max(0, after.due - now))))) return;
      } finally {
        this.running.delete(envelope);
      }
    }
  }

  private giveUp(): void {
    const { drainMs } = this.settings;
    const events = [...this.running].map(({ type, id }) => `${type} ${id}`);
    this.logger.error(
      this.says(
        `${events.length} handlers still run ${drainMs} ms after the service was stopped (drainMs) and are abandoned; ` +
          `nobody gets their events again: ${events.join(', ')}`,
      ),
    );
    this.abandoning.abort(stoppedAfter(drainMs));
  }

  private says(text: string): string {
    return `${this.handler.name} (every instance): ${text}`;
  }

  private pause(ms: number): Promise<boolean> {
    return pause(ms, this.abort.signal);
  }
}
