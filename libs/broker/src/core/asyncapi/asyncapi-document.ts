import { contractOf, JsonSchemas } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { each } from '../options/check-options.js';
import type { Rules } from '../options/check-options.js';
import { text, thing } from '../options/rules.js';
import { KeyBuilder } from '../keys.js';
import type { LogName, Receives, Sends, Topology } from '../topology/topology.js';
import { messageObject, packetObject } from './asyncapi-message.js';

/** An AsyncAPI 3.0 document. @see https://www.asyncapi.com/docs/reference/specification/v3.0.0 */
export type AsyncApiDocument = Readonly<Record<string, unknown>> & { readonly asyncapi: '3.0.0' };

export interface AsyncApiOptions {
  /** Default: the contexts of the service. */
  readonly title?: string;
  /** Version of the service. Default `1.0.0`. */
  readonly version?: string;
  readonly description?: string;
  /** AsyncAPI server objects by name, e.g. `{ redis: { host: 'redis:6379', protocol: 'redis' } }`. Default: none. */
  readonly servers?: Readonly<Record<string, object>>;
  /** First part of the names of streams. Default: as the topologies say, `millrace` where they do not. */
  readonly namespace?: string;
}

export const ASYNCAPI_RULES: Rules<AsyncApiOptions> = {
  title: text,
  version: text,
  description: text,
  servers: each(thing),
  namespace: text,
};

/** Where replies go: an address that only the asker knows. */
const REPLIES = 'replies';
const REPLY_ADDRESS = { location: '$message.header#/replyto' };

/**
 * The AsyncAPI document of a service: logs are its channels, what it sends and receives its operations.
 *
 * @param topologies of all connections of the service
 * @throws MessageError `no-json-schema` when the schema of a message cannot be described
 */
export async function asyncApiDocument(
  topologies: readonly Topology[],
  { title, version = '1.0.0', description, servers, namespace }: AsyncApiOptions = {},
): Promise<AsyncApiDocument> {
  const document = new Draft(namespace);
  for (const topology of topologies) {
    for (const sends of topology.sends) await document.sends(sends, topology);
    for (const receives of topology.receives) await document.receives(receives, topology);
  }
  const contexts = topologies.map(({ context }) => context).join(', ');
  return {
    asyncapi: '3.0.0',
    info: { title: title ?? contexts, version, ...(description === undefined ? {} : { description }) },
    defaultContentType: 'application/json',
    ...(servers === undefined ? {} : { servers }),
    ...document.parts(),
  };
}

type Fields = Record<string, unknown>;
interface Channel extends Fields {
  readonly messages: Record<string, { readonly $ref: string }>;
}

/** A document that is being written. */
class Draft {
  private readonly channels: Record<string, Channel> = {};
  private readonly operations: Record<string, Fields> = {};
  private readonly messages: Record<string, Fields> = {};
  private readonly schemas = new JsonSchemas();

  constructor(private readonly namespace: string | undefined) {}

  async sends({ by, kind, type, passes, written, to }: Sends, topology: Topology): Promise<void> {
    // What is asked has the reply beside it.
    if (kind === 'reply') return;
    for (const message of written) {
      if (!message.contract) continue;
      const ref = await this.message(this.channel(to!, topology), message.contract, passes);
      const replies = kind === 'command' ? await this.replies(contractReplies(message.contract)) : {};
      const note = passes.length > 0 ? ` as ${type}, which passes ${passes.join(', ')}` : '';
      this.operation('send', `send-${message.type}`, to!, ref, `${by} sends it${note}`, replies);
    }
  }

  async receives(receives: Receives, topology: Topology): Promise<void> {
    const { from, message, passes, type, by, group, replies, pattern } = receives;
    if (pattern !== undefined) return this.pattern(pattern, receives, topology);
    if (!message.contract || isOwnTimer(receives)) return;
    const ref = await this.message(this.channel(from, topology), message.contract, passes);
    const note = passes.length > 0 ? ` as ${type}, after ${passes.join(', ')}` : '';
    const where = group === undefined ? '' : `, group ${group}`;
    const id = `receive-${message.type}-${group ?? by}`;
    this.operation('receive', id, from, ref, `${by} receives it${note}${where}`, await this.replies(replies));
  }

  /** What comes over Nest's transport has no contract: a request is answered where it says. */
  private pattern(kind: 'event' | 'request', { from, type, by, group }: Receives, topology: Topology): void {
    const { id, object } = packetObject(from.context, type, kind);
    const ref = this.put(this.channel(from, topology), id, object);
    const reply = kind === 'request' ? { reply: { address: REPLY_ADDRESS } } : {};
    this.operation('receive', `receive-${id}-${group}`, from, ref, `${by} receives it, group ${group}`, reply);
  }

  parts(): Fields {
    const components = { messages: this.messages, schemas: this.schemas.components };
    return { channels: this.channels, operations: this.operations, components };
  }

  private channel({ context, log }: LogName, { context: own, partitions, ...topology }: Topology): Channel {
    const namespace = this.namespace ?? topology.namespace ?? 'millrace';
    const example = new KeyBuilder(namespace).log({ partition: { context, index: 0 }, log });
    const id = `${context}-${log}`;
    return (this.channels[id] ??= {
      address: `${namespace}:${context}:{partition}:${log}`,
      title: log === 'feed' ? `Events of ${context}` : `Inbox of ${context}`,
      description:
        `Redis Streams, one for each partition: ${example} and so on. An entry has one field, 'event', ` +
        `with a CloudEvent as JSON (structured mode); the headers here are its attributes, the payload is its data.`,
      parameters: {
        partition: {
          description: 'Number of the partition, which the partition key decides',
          ...(context === own ? { enum: Array.from({ length: partitions }, (_, i) => String(i)) } : {}),
        },
      },
      messages: {},
    });
  }

  private async message(channel: Channel, contract: MessageClass, passes: readonly string[]): Promise<string> {
    const { id, object } = await messageObject(contract, passes, this.schemas);
    return this.put(channel, id, object);
  }

  private put(channel: Channel, id: string, object: Fields): string {
    this.messages[id] ??= object;
    channel.messages[id] ??= { $ref: `#/components/messages/${id}` };
    return id;
  }

  private async replies(contracts: readonly MessageClass[]): Promise<Fields> {
    if (contracts.length === 0) return {};
    const channel = (this.channels[REPLIES] ??= {
      address: null,
      title: 'Replies',
      description: "The log that a command names in its attribute 'replyto'.",
      messages: {},
    });
    const messages = [];
    for (const contract of contracts) {
      messages.push({ $ref: `#/channels/${REPLIES}/messages/${await this.message(channel, contract, [])}` });
    }
    return { reply: { address: REPLY_ADDRESS, channel: { $ref: `#/channels/${REPLIES}` }, messages } };
  }

  private operation(
    action: 'send' | 'receive',
    wanted: string,
    { context, log }: LogName,
    message: string,
    what: string,
    more: Fields,
  ): void {
    const id = wanted.replace(/[^\w-]+/g, '-');
    const known = this.operations[id];
    if (known) {
      const description = known['description'] as string;
      if (!description.split('; ').includes(what)) known['description'] = `${description}; ${what}`;
      return;
    }
    const channel = `#/channels/${context}-${log}`;
    const messages = [{ $ref: `${channel}/messages/${message}` }];
    this.operations[id] = { action, channel: { $ref: channel }, description: what, messages, ...more };
  }
}

function contractReplies(contract: MessageClass): readonly MessageClass[] {
  return contractOf(contract).replies ?? [];
}

/** An event in an inbox is a timer's, which the service sets itself. */
function isOwnTimer({ from, message }: Receives): boolean {
  return from.log === 'in' && contractOf(message.contract!).kind === 'event';
}
