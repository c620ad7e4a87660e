import { ConfigurationError } from '@millrace/broker';
import type { Broker } from '@millrace/broker';
import { contextOf, contractOf } from '@millrace/messages';
import { stepsOf } from './definition.js';
import type { Endings, SagaDefinition } from './definition.js';
import { classOf } from './sent-commands.js';
import type { Make } from './sent-commands.js';

const WORDS: Readonly<Record<keyof Endings<unknown>, string>> = {
  completed: 'onCompleted',
  compensated: 'onCompensated',
  parked: 'onParked',
};

/**
 * Refuses a saga that says what cannot be said, as far as that shows without an instance: the class of what a function makes of a
 * real state only is not known.
 *
 * @throws ConfigurationError for a step that sends no command, and for an end that publishes an event of another context or
 *   answers where nobody has asked
 */
export function checkMessages<State>(
  definition: SagaDefinition<State>,
  broker: Pick<Broker, 'context' | 'transforms'>,
): void {
  for (const step of stepsOf(definition)) checkStep(definition.name, step);
  for (const [end, make] of Object.entries(definition.ends)) {
    const wrong = make && wrongEnd(definition, end as keyof Endings<State>, make as Make, broker);
    if (wrong)
      throw new ConfigurationError(`${WORDS[end as keyof Endings<State>]} of saga '${definition.name}' ${wrong}`);
  }
}

function checkStep<State>(saga: string, { name, do: plan, undo }: ReturnType<typeof stepsOf<State>>[number]): void {
  for (const [what, { act }] of [['sends', plan] as const, ...(undo ? [['is undone by', undo] as const] : [])]) {
    const type = act.kind === 'send' ? classOf(act.make as Make) : undefined;
    if (!type || contractOf(type).kind === 'command') continue;
    throw new ConfigurationError(
      `step '${name}' of saga '${saga}' ${what} ${contractOf(type).type}, ${withArticle(contractOf(type).kind)}: only a command is answered`,
    );
  }
}

/** What is wrong with an end; undefined: nothing that shows. */
function wrongEnd<State>(
  { start }: SagaDefinition<State>,
  end: keyof Endings<State>,
  make: Make,
  { context, transforms }: Pick<Broker, 'context' | 'transforms'>,
): string | undefined {
  const made = classOf(make);
  if (!made) return undefined;
  const { kind, type } = contractOf(made);
  if (kind === 'reply') {
    if (end === 'parked')
      return `answers with ${type}: a saga that is parked has not ended, so say an event or a command`;
    if (start.on && contractOf(start.on).kind === 'command') return undefined;
    return `answers with ${type}, and nobody has asked: only a saga that starts on a command answers`;
  }
  // What a transform makes of it on its way out shows when it is published.
  const changes = transforms.outbound.some(({ from }) => from.includes(type));
  if (kind === 'command' || changes || contextOf(type) === context) return undefined;
  return (
    `publishes ${type}, an event of context '${contextOf(type)}', and this service is '${context}': ` +
    `a context publishes its own events only, so say an event of '${context}', or a command to '${contextOf(type)}'`
  );
}

function withArticle(kind: string): string {
  return kind === 'event' ? 'an event' : `a ${kind}`;
}
