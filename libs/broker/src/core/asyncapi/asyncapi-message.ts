import { contractOf } from '@millrace/messages';
import type { Contract, JsonSchema, JsonSchemas, MessageClass } from '@millrace/messages';

/** The message object of a contract, and its name among the document's components. */
export async function messageObject(
  contract: MessageClass,
  passes: readonly string[],
  schemas: JsonSchemas,
): Promise<{ readonly id: string; readonly object: Record<string, unknown> }> {
  const { type, kind, version, key, failure } = contractOf(contract);
  const words = [
    kind === 'reply' ? (failure ? 'Refusal' : 'Reply') : kind === 'event' ? 'Event' : 'Command',
    `version ${version}`,
    ...(key === undefined ? [] : [`key '${key}'`]),
  ];
  const object = {
    name: type,
    title: contract.name,
    summary: words.join(', '),
    contentType: 'application/json',
    headers: attributes(contractOf(contract)),
    payload: await schemas.of(contract),
    correlationId: { location: '$message.header#/correlationid' },
    tags: [{ name: kind }],
    ...(passes.length > 0 ? { description: `Passes ${passes.join(', ')}.` } : {}),
  };
  return { id: type, object };
}

/** A message of Nest's transport: what its data are, only the handler's code says. */
export function packetObject(
  context: string,
  pattern: string,
  kind: 'event' | 'request',
): { readonly id: string; readonly object: Record<string, unknown> } {
  const word = pattern.replace(/[^\w.-]+/g, '-').replace(/^-|-$/g, '');
  const payload = {
    type: 'object',
    description: "Nest's packet, as its default serializer writes it",
    required: ['pattern', 'data'],
    properties: { pattern: {}, data: {}, id: { type: 'string' } },
  };
  const known = { type: pattern, version: 1, key: undefined, failure: false } as const;
  const headers = attributes({ ...known, kind: kind === 'event' ? 'event' : 'command' });
  const object = { name: pattern, title: pattern, summary: "Pattern of Nest's transport", payload };
  return {
    id: `${context}.${word}`,
    object: {
      ...object,
      contentType: 'application/json',
      headers,
    },
  };
}

/** The attributes of a CloudEvent, and the extensions that Millrace adds. */
function attributes({
  type,
  kind,
  version,
  key,
  failure,
}: Pick<Contract, 'type' | 'kind' | 'version' | 'key' | 'failure'>): JsonSchema {
  const text = { type: 'string' };
  return {
    type: 'object',
    required: [
      'specversion',
      'id',
      'source',
      'type',
      ...(key === undefined ? [] : ['partitionkey']),
      ...(version > 1 ? ['schemaversion'] : []),
      ...(kind === 'reply' ? ['inreplyto', 'outcome'] : []),
    ],
    properties: {
      specversion: { const: '1.0' },
      id: { ...text, minLength: 1 },
      source: { ...text, format: 'uri-reference', minLength: 1 },
      type: { const: type },
      time: { ...text, format: 'date-time' },
      subject: text,
      partitionkey: { ...text, ...(key === undefined ? {} : { description: `The data's '${key}', as text` }) },
      correlationid: text,
      causationid: text,
      ...(version > 1 ? { schemaversion: { const: version } } : {}),
      ...(kind === 'command' ? { replyto: text, effectid: text, undoes: text } : {}),
      ...(kind === 'reply' ? { inreplyto: text, outcome: { const: failure ? 'failure' : 'success' } } : {}),
    },
  };
}
