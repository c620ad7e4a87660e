import { randomUUID } from 'node:crypto';
import { contractOf, isErased, keyOf, replyClassesOf, toInstance } from '@millrace/messages';
import type { CommandReplies, Envelope, EnvelopeInit, MessageClass, RepliesOf } from '@millrace/messages';
import type { Broker } from './broker.js';
import { effectAttributes } from './effect-options.js';
import type { EffectOptions } from './effect-options.js';
import { ConfigurationError, RequestFailedError, UnknownOutcomeError } from './errors.js';
import { Exchange } from './exchange.js';
import type { Logger } from './logger.js';
import { silent } from './logger.js';
import { checkOptionsAmong } from './options/check-options.js';
import { ReplyInbox } from './reply-inbox.js';
import { REQUESTER_RULES } from './requester-settings.js';
import type { RequesterSettings } from './requester-settings.js';
import { send } from './sending.js';

export interface RequestOptions extends EffectOptions {
  /** How long to wait for the reply, or for each of several, ms. Default 30000. */
  readonly timeoutMs?: number;
  /** Ends the wait. The command may still be handled. */
  readonly signal?: AbortSignal;
  /** Commands of one key are handled in order. Default: the contract's key property, else none. */
  readonly key?: string;
  /** No handler begins the command after `timeoutMs`, by the clock of its process. Default false. */
  readonly expires?: boolean;
  /** What replies become. Only needed where several `@Reply` classes of this process have one type. */
  readonly replies?: readonly MessageClass[];
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Longer than a commit is repeated for: a request whose confirmation was lost is not sent twice. */
const REMEMBERED_MS = 120_000;

/**
 * Sends commands and waits for their replies (Request-Reply, Hohpe and Woolf). The command is as durable as any: a service
 * that is down handles it when it is back. The reply is for this process only: it is not kept when the process has died.
 */
export class Requester {
  private readonly inbox: ReplyInbox;

  constructor(
    private readonly broker: Broker,
    settings: RequesterSettings = {},
    private readonly logger: Logger = silent,
  ) {
    checkOptionsAmong(`service '${broker.context}'`, settings, REQUESTER_RULES);
    this.inbox = new ReplyInbox(broker, logger, settings.replyTtlMs ?? 30_000);
  }

  /**
   * Sends a command and waits for its reply, the first one if there are several. A failure reply is a reply, too. Inside
   * a handler the command is sent at once, not with the handler's commit.
   *
   * @throws RequestTimeoutError when no reply came in time: the command may still be handled
   * @throws RequestFailedError when the command was dead-lettered, expired, answered with nothing, or came after its effect
   * had been undone
   * @throws MessageError when the command breaks its contract
   */
  async request<C extends CommandReplies<object, object>>(
    command: C,
    options: RequestOptions = {},
  ): Promise<RepliesOf<C>> {
    const id = randomUUID();
    for await (const reply of this.replies(command, id, options)) return reply as RepliesOf<C>;
    const { type } = contractOf(command);
    const message = `${type} (id ${id}) was answered with nothing: let its handler return a reply, or send it without asking`;
    throw new RequestFailedError(type, id, 'no-reply', message);
  }

  /**
   * Sends a command whose handler gives several replies, and yields them in order, each once. The first step sends it;
   * leaving the loop ends the wait.
   *
   * @throws as {@link request}
   */
  stream<C extends CommandReplies<object, object>>(
    command: C,
    options: RequestOptions = {},
  ): AsyncGenerator<RepliesOf<C>, void, undefined> {
    return this.replies(command, randomUUID(), options) as AsyncGenerator<RepliesOf<C>, void, undefined>;
  }

  /** Ends all waits. Idempotent. */
  close(): Promise<void> {
    return this.inbox.close();
  }

  private async *replies(command: object, id: string, options: RequestOptions): AsyncGenerator<object> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    signal?.throwIfAborted();
    const exchange = new Exchange({ type: contractOf(command).type, id });
    try {
      const asked = performance.now();
      await this.send(command, id, exchange, options);
      for (let elapsed = performance.now() - asked; ; elapsed = 0) {
        const reply = await exchange.take(timeoutMs, signal, elapsed);
        if (!reply) return;
        yield this.dataOf(reply, exchange, options);
      }
    } finally {
      this.inbox.forget(id);
    }
  }

  private async send(command: object, id: string, exchange: Exchange, options: RequestOptions): Promise<void> {
    const contract = contractOf(command);
    if (contract.kind !== 'command') {
      throw new ConfigurationError(`${contract.type} is a ${contract.kind}: only commands can be requested`);
    }
    const { key, expires = false, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const attributes: Partial<EnvelopeInit> = {
      id,
      replyto: this.inbox.address,
      ...(key === undefined ? {} : { partitionkey: key }),
      ...effectAttributes(options),
      ...(expires ? { expirytime: new Date(this.broker.clock.now() + timeoutMs).toISOString() } : {}),
    };
    const outgoing = await this.broker.messages.outgoing(command, attributes);
    const [first] = outgoing;
    if (!first) throw exchange.failed('filtered', `an outbound transform lets ${contract.type} go nowhere`);
    const { feed, events, emits } = await send(this.broker, outgoing);
    await this.inbox.expect(id, exchange);
    try {
      await this.broker.commit({
        partition: feed ?? this.broker.partitionFor(keyOf(first.envelope)),
        guards: [{ kind: 'command', id: `request:${id}`, result: '', ttlMs: REMEMBERED_MS }],
        writes: [...(feed ? [{ kind: 'append', events } as const] : []), ...emits],
      });
    } catch (error) {
      if (!(error instanceof UnknownOutcomeError)) throw error;
      // It may have been sent: then its reply comes, else the time runs out.
      this.logger.warn(`${contract.type} (id ${id}): ${error.message}; waiting for the reply`);
    }
  }

  private dataOf(reply: Envelope, exchange: Exchange, { replies }: RequestOptions): object {
    const { type, schemaversion: version = 1, data } = reply;
    const fits = (candidate: MessageClass): boolean => {
      const contract = contractOf(candidate);
      return contract.type === type && contract.version === version;
    };
    const classes = (replies ?? replyClassesOf(type)).filter(fits);
    const known = classes.find((candidate) => data instanceof candidate);
    if (known) return data as object;
    if (classes.length === 1) return toInstance(classes[0]!, data, this.broker.validate, isErased(reply));
    throw exchange.failed(
      'unknown-reply',
      classes.length === 0
        ? `the reply ${type} (version ${version}) is no @Reply class of this process: import the class that declares it`
        : `${classes.length} classes of this process are declared @Reply('${type}'): name the one that is meant in 'replies'`,
    );
  }
}
