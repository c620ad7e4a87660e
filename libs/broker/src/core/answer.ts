import { findContract } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { OutboundMessage } from './message-writer.js';
import { NonRetryableError } from './non-retryable-error.js';
import type { HandlerDeclaration } from './handler.js';
import { parseAddress } from './partition.js';
import { Published } from './published.js';
import { send } from './sending.js';
import { completedReply, waitingFor } from './system-reply.js';
import type { UnitOfWork } from './unit-of-work.js';
import { until } from './until.js';

/** What a handler is answering, and in which unit of work. */
export interface Answered {
  readonly broker: Broker;
  readonly unit: UnitOfWork;
  readonly command: Envelope;
  readonly handler: HandlerDeclaration;
}

/**
 * Sends the reply where the command wants it, with the commit.
 *
 * @returns a promise only when an outbound transform waits or multiplies
 */
export function answer(answered: Answered, reply: object | void | null): void | Promise<void> {
  const { broker, unit, command } = answered;
  const process = waitingFor(command);
  if (reply === undefined || reply === null || reply instanceof Published) {
    if (process) unit.add(completedReply(broker, command, { frames: 0 }));
    return;
  }
  checkReply(answered, reply);
  if (command.replyto === undefined) return;
  const outgoing = outgoingReply(answered, reply);
  return outgoing instanceof Promise ? outgoing.then((all) => place(answered, all)) : place(answered, outgoing);
}

/** Replies go to who asked; what transforms made beside them goes its own way. */
function place({ broker, unit, command }: Answered, outgoing: readonly OutboundMessage[]): void | Promise<void> {
  const process = waitingFor(command);
  const context = process || command.replyto === undefined ? undefined : parseAddress(command.replyto);
  for (const { kind, text } of outgoing) {
    if (kind !== 'reply') continue;
    if (process) unit.add([{ kind: 'reply', to: process, message: text }]);
    else if (context) unit.emit(context, text);
  }
  const others = outgoing.filter(({ kind }) => kind !== 'reply');
  if (others.length === 0) return;
  return Promise.resolve(send(broker, others)).then(({ feed, events, emits }) => {
    if (feed) unit.stage(unit.partition ?? feed, { writes: [{ kind: 'append', events }] });
    unit.add(emits);
  });
}

/**
 * Sends every reply to the waiting process as it comes, and that there are no more with the commit. Numbers let the
 * process ignore what a second attempt repeats. Ends early when the process is gone. Others get the last reply only.
 *
 * @param over aborted when the service stops, or no longer waits: then the command is handled again
 */
export async function answerAll(answered: Answered, replies: AsyncIterable<object>, over: AbortSignal): Promise<void> {
  const { broker, unit, command } = answered;
  const process = waitingFor(command);
  let last: object | undefined;
  let frames = 0;
  for await (const reply of until(replies, over)) {
    last = reply;
    if (!process) continue;
    checkReply(answered, reply);
    frames++;
    let waited = true;
    for (const { text } of await outgoingReply(answered, reply, frames)) {
      waited &&= await broker.store.sendReply(process, text);
    }
    if (!waited) break;
  }
  if (process) unit.add(completedReply(broker, command, { frames }));
  else await answer(answered, last);
}

/** Whether a handler answers with several replies. */
export function isStream(result: unknown): result is AsyncIterable<object> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}

function checkReply({ handler }: Answered, reply: object): void {
  const contract = findContract(reply);
  if (contract?.kind === 'reply') return;
  throw new NonRetryableError(
    `${handler.name} returned ${contract ? `the ${contract.kind} ${contract.type}` : 'an object that is no message'}: return a class decorated with @Reply, or nothing`,
  );
}

function outgoingReply(
  { broker, command }: Answered,
  reply: object,
  frame?: number,
): readonly OutboundMessage[] | Promise<readonly OutboundMessage[]> {
  const key = command.correlationid ?? command.partitionkey;
  return broker.messages.outgoing(reply, {
    inreplyto: command.id,
    ...(key === undefined ? {} : { partitionkey: key }),
    ...(frame === undefined ? {} : { frame }),
  });
}
