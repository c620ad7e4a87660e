import type { DeadLetter } from '../core/commit.js';
import type { Log } from '../core/partition.js';

/** Names of the fields of an entry of `dead`, in the order of {@link deadLetterFields}. */
export const DEAD_LETTER_NAMES = [
  ...['reason', 'error', 'group', 'context', 'partition', 'log', 'entry'],
  ...['attempts', 'first', 'last', 'fields'],
] as const;

/** A dead letter as the values of an entry. */
export function deadLetterFields(letter: DeadLetter): (string | number)[] {
  const { source, id } = letter.entry;
  return [
    ...[letter.reason, letter.error, letter.group, source.partition.context, source.partition.index, source.log, id],
    ...[letter.attempts, letter.first, letter.last, JSON.stringify(letter.fields)],
  ];
}

/** An entry of `dead` as the dead letter it was. */
export function toDeadLetter(fields: ReadonlyMap<string, string>): DeadLetter {
  const text = (name: (typeof DEAD_LETTER_NAMES)[number]): string => fields.get(name) ?? '';
  return {
    reason: text('reason'),
    error: text('error'),
    group: text('group'),
    entry: {
      source: {
        partition: { context: text('context'), index: Number(text('partition')) },
        log: text('log') as Log,
      },
      id: text('entry'),
    },
    attempts: Number(text('attempts')),
    first: Number(text('first')),
    last: Number(text('last')),
    fields: JSON.parse(text('fields')) as string[],
  };
}
