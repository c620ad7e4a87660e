import type { DeadLetter } from '../core/commit.js';
import type { KeptLetter } from '../core/dead-letter-store.js';
import type { Log } from '../core/partition.js';
import { toMap } from './redis-replies.js';

/**
 * Names of the fields of an entry of `dead`, in the order of {@link deadLetterFields}. `fields` are those of the original
 * entry as JSON; where that would lose bytes, `raw` has them too, packed by the script (MessagePack).
 */
export const DEAD_LETTER_NAMES = [
  ...['reason', 'error', 'class', 'group', 'context', 'partition', 'log', 'entry'],
  ...['type', 'key', 'attempts', 'redriven', 'first', 'last', 'fields'],
] as const;

/** A dead letter as the values of an entry. */
export function deadLetterFields(letter: DeadLetter): (string | number)[] {
  const { source, id } = letter.entry;
  const { context, index } = source.partition;
  return [
    ...[letter.reason, letter.error, letter.errorClass, letter.group, context, index, source.log, id],
    ...[letter.type ?? '', letter.key ?? '', letter.attempts, letter.redriven, letter.first, letter.last],
    JSON.stringify(letter.fields),
  ];
}

/** An entry of `dead` as the dead letter it was. */
export function toDeadLetter([id, fields]: readonly [string, readonly string[]]): KeptLetter {
  const stored = toMap(fields);
  const text = (name: (typeof DEAD_LETTER_NAMES)[number]): string => stored.get(name) ?? '';
  return {
    id,
    reason: text('reason'),
    error: text('error'),
    errorClass: text('class'),
    group: text('group'),
    entry: {
      source: {
        partition: { context: text('context'), index: Number(text('partition')) },
        log: text('log') as Log,
      },
      id: text('entry'),
    },
    type: text('type') || undefined,
    key: text('key') || undefined,
    attempts: Number(text('attempts')),
    redriven: Number(text('redriven')),
    first: Number(text('first')),
    last: Number(text('last')),
    fields: JSON.parse(text('fields')) as string[],
  };
}
