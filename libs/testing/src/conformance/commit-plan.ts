import type { Commit, EntryRef, Guard, Log, Partition, Source, Write } from '@millrace/broker';
import type { CommitModel } from './commit-model.js';

/** One step of a history. Commits are plans: {@link carriedOut} fills in what is only known when they are carried out. */
export type Step =
  | { readonly step: 'commit'; readonly plan: Commit; readonly twice: boolean }
  | { readonly step: 'deliver'; readonly source: Source; readonly group: string; readonly limit: number }
  | { readonly step: 'fire'; readonly partition: Partition; readonly now: number; readonly limit: number };

/** The few names of a history, so that its commits collide. */
export const NAMES = {
  partitions: [0, 1],
  streams: ['a', 'b'],
  categories: ['c'],
  tags: ['red', 'big'],
  states: ['s', 't'],
  views: ['v', 'w'],
  commands: ['c1', 'c2'],
  effects: ['sell/1/hold', 'any text {*}'],
  groups: ['g', 'h'],
  keys: ['k', 'order 7'],
  /** The first waits for replies. */
  instances: ['waiting', 'gone'],
  timers: ['x', 'y', 'z'],
  logs: ['in', 'feed'] as const satisfies readonly Log[],
} as const;

/** Stands for the version, revision or epoch that will be right. */
export const RIGHT = -1;

/** Begin the id of a planned entry: the n-th entry of the log, or the n-th of those pending for the group. */
export const ANY = 'any ';
export const PENDING = 'pending ';

/** The commit of a plan, in a real context, with the ids and versions of this moment. */
export function carriedOut(plan: Commit, context: string, model: CommitModel): Commit {
  const real = ({ index }: Partition): Partition => ({ context, index });
  const inside = <T extends { readonly partition?: Partition }>(each: T): T =>
    each.partition ? { ...each, partition: real(each.partition) } : each;
  const right = (value: number, current: number) => (value === RIGHT ? current : value);
  const known = ({ source, id }: EntryRef, group: string): EntryRef => {
    const candidates = id.startsWith(PENDING) ? model.pending(source, group) : model.messages(source);
    const message = candidates[Number(id.slice(id.indexOf(' ')))];
    // What nobody has read yet has an id that nobody can know.
    return { source: { partition: real(source.partition), log: source.log }, id: message?.id ?? '1-1' };
  };
  return {
    partition: real(plan.partition),
    guards: plan.guards.map((each): Guard => {
      switch (each.kind) {
        case 'lease': {
          const current = model.at(each.partition).epochs[each.group] ?? 0;
          return { ...each, partition: real(each.partition), epoch: right(each.epoch, current) };
        }
        case 'version':
          return each.expected === RIGHT
            ? { ...each, expected: model.events(plan.partition, each.stream).length }
            : each;
        case 'tags':
          return { ...each, after: right(each.after, model.at(plan.partition).feed.length) };
        case 'revision':
          return { ...each, expected: right(each.expected, model.revision(plan.partition, each.state)) };
        case 'input':
          return { ...each, entry: known(each.entry, each.group) };
        case 'timer':
          return inside({
            ...each,
            due: each.due === RIGHT ? model.due(each.partition ?? plan.partition, each.id) : each.due,
          });
        case 'command':
        case 'tombstone':
          return inside(each);
        case 'row':
        case 'reached':
        case 'dead-letter':
        case 'parked':
          return each;
      }
    }),
    writes: plan.writes.map((each): Write => {
      if (each.kind === 'emit') return { ...each, to: real(each.to) };
      if (each.kind === 'reply') return { ...each, to: { ...each.to, partition: real(each.to.partition) } };
      if (each.kind === 'cancel-timer' || each.kind === 'tombstone') return inside(each);
      if (each.kind === 'timer') {
        return inside(each.to ? { ...each, to: { ...each.to, partition: real(each.to.partition) } } : each);
      }
      if (each.kind === 'retry' || each.kind === 'clear-retry')
        return { ...each, entry: known(each.entry, each.group) };
      return each;
    }),
  };
}
