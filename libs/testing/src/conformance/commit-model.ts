import type {
  Commit,
  CommitResult,
  DeadLetter,
  EntryRef,
  ExpectedVersion,
  Guard,
  RetryRecord,
  Source,
  Write,
} from '@millrace/broker';

/** A message of an inbox; its id is the store's choice, known once somebody has read it. */
export interface ModelMessage {
  id?: string;
  readonly text: string;
}

interface ModelTimer {
  readonly due: number;
  readonly message: string;
  readonly to: Source;
}

interface ModelPartition {
  readonly feed: {
    readonly id: string;
    readonly text: string;
    readonly stream: string | undefined;
    readonly tags: readonly string[];
  }[];
  readonly inbox: ModelMessage[];
  /** By the instances that wait. */
  readonly replies: Record<string, string[]>;
  /** All values put since the state was last deleted. */
  readonly states: Map<string, readonly string[]>;
  readonly rows: Record<string, Record<string, string>>;
  readonly commands: Record<string, string>;
  readonly tombstones: Map<string, string>;
  readonly timers: Map<string, ModelTimer>;
  dead: DeadLetter[];
  /** By group and key: what holds the key back, a dead letter or a redriven one, and what waits for it. */
  readonly parked: Map<string, { held: 'letter' | 'redriven' | undefined; readonly behind: DeadLetter[] }>;
  /** By group: the fields of what came into its own log. */
  readonly own: Record<string, (readonly string[])[]>;
  readonly groups: Record<string, { delivered: number; pending: { message: ModelMessage; deliveries: number }[] }>;
  readonly retries: Map<string, RetryRecord>;
  readonly epochs: Record<string, number>;
}

/** What a partition store does, said as plainly as possible: the yardstick of the adapters, and no adapter itself. */
export class CommitModel {
  private readonly partitions: readonly ModelPartition[];

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, () => ({
      feed: [],
      inbox: [],
      replies: {},
      states: new Map(),
      rows: {},
      commands: {},
      tombstones: new Map(),
      timers: new Map(),
      dead: [],
      parked: new Map(),
      own: {},
      groups: {},
      retries: new Map(),
      epochs: {},
    }));
  }

  at(partition: { readonly index: number }): ModelPartition {
    return this.partitions[partition.index]!;
  }

  commit(commit: Commit): CommitResult {
    for (const kind of [
      'lease',
      'command',
      'tombstone',
      'version',
      'tags',
      'revision',
      'timer',
      'dead-letter',
      'parked',
      'input',
    ] as const) {
      for (const guard of commit.guards.filter((each) => each.kind === kind)) {
        const found = this.refusal(commit, guard);
        if (found !== undefined) return { status: 'refused', guard: kind, found };
      }
    }
    for (const guard of commit.guards) {
      if (guard.kind === 'input') {
        const group = this.group(guard.entry.source, guard.group);
        group.pending = group.pending.filter(({ message }) => message.id !== guard.entry.id);
      }
    }
    const appended = commit.writes.flatMap((write) => this.write(commit, write) ?? []);
    for (const guard of commit.guards) {
      if (guard.kind !== 'command') continue;
      const places = guard.withAppended ? appended.map(({ position, version }) => ` ${position} ${version}`) : [];
      this.at(guard.partition ?? commit.partition).commands[guard.id] = guard.result + places.join('');
    }
    return { status: 'committed', appended };
  }

  messages({ partition, log }: Source): readonly ModelMessage[] {
    const { feed, inbox } = this.at(partition);
    return log === 'feed' ? feed : inbox;
  }

  pending(source: Source, group: string): readonly ModelMessage[] {
    return this.group(source, group).pending.map(({ message }) => message);
  }

  /** What the group has not had yet, now pending for it. */
  deliver(source: Source, group: string, limit: number): readonly ModelMessage[] {
    const state = this.group(source, group);
    const messages = this.messages(source).slice(state.delivered, state.delivered + limit);
    state.delivered += messages.length;
    state.pending.push(...messages.map((message) => ({ message, deliveries: 1 })));
    return messages;
  }

  redeliver(source: Source, group: string) {
    return this.group(source, group).pending.map((pending) => ({
      id: pending.message.id,
      deliveries: ++pending.deliveries,
      retry: this.at(source.partition).retries.get(retryKey({ source, id: pending.message.id ?? '' }, group)),
    }));
  }

  backlog(source: Source, group: string) {
    const { delivered, pending } = this.group(source, group);
    return { pending: pending.length, waiting: this.messages(source).length - delivered };
  }

  fireTimers(partition: { readonly index: number }, now: number, limit: number) {
    const { timers } = this.at(partition);
    const byDue = [...timers].sort(([a, { due: dueA }], [b, { due: dueB }]) => dueA - dueB || (a < b ? -1 : 1));
    const due = byDue.filter(([, timer]) => timer.due <= now).slice(0, limit);
    for (const [id, { message, to }] of due) {
      this.deliverTo(to, message);
      timers.delete(id);
    }
    return { fired: due.length, next: byDue[due.length]?.[1].due };
  }

  tagged(partition: { readonly index: number }, tag: string) {
    return this.at(partition).feed.filter(({ tags }) => tags.includes(tag));
  }

  events(partition: { readonly index: number }, stream: string) {
    return this.at(partition).feed.filter((event) => event.stream === stream);
  }

  due(partition: { readonly index: number }, timer: string): number | null {
    return this.at(partition).timers.get(timer)?.due ?? null;
  }

  revision(partition: { readonly index: number }, state: string): number {
    return this.at(partition).states.get(state)?.length ?? 0;
  }

  private refusal({ partition }: Commit, guard: Guard): string | undefined {
    const differs = (found: number, expected: number) => (found === expected ? undefined : `${found}`);
    switch (guard.kind) {
      case 'lease':
        return this.at(guard.partition).epochs[guard.group] === undefined
          ? '0'
          : differs(this.at(guard.partition).epochs[guard.group]!, guard.epoch);
      case 'command':
        return this.at(guard.partition ?? partition).commands[guard.id];
      case 'tombstone':
        return this.at(guard.partition ?? partition).tombstones.get(guard.effect);
      case 'version':
        return this.wrongVersion(this.events(partition, guard.stream).length, guard.expected);
      case 'tags': {
        const matches = this.at(partition).feed.filter(
          ({ tags }, i) =>
            i >= guard.after && guard.query.some((query) => query.tags.every((tag) => tags.includes(tag))),
        );
        const head = this.at(partition).feed.length;
        return matches.at(-1)?.id.slice(2) ?? (guard.after > head ? `${head}` : undefined);
      }
      case 'revision':
        return differs(this.revision(partition, guard.state), guard.expected);
      case 'timer': {
        const due = this.due(guard.partition ?? partition, guard.id);
        return due === guard.due ? undefined : `${due ?? 'unset'}`;
      }
      case 'parked':
        return this.parked(partition, guard).held ? undefined : '';
      case 'row': {
        const row = this.at(partition).rows[guard.view]?.[guard.id];
        return row === (guard.expected ?? undefined) ? undefined : (row ?? '');
      }
      case 'reached':
        throw new Error('the states of the model are no checkpoints');
      case 'dead-letter':
        throw new Error('the ids of dead letters are not known to the model');
      case 'input': {
        const pending = this.pending(guard.entry.source, guard.group);
        return pending.some(({ id }) => id === guard.entry.id) ? undefined : 'acknowledged';
      }
    }
  }

  private wrongVersion(version: number, expected: ExpectedVersion): string | undefined {
    const holds = expected === 'none' ? version === 0 : expected === 'exists' ? version > 0 : version === expected;
    return holds ? undefined : `${version}`;
  }

  private write({ partition }: Commit, write: Write) {
    const { feed, states, rows, dead, own } = this.at(partition);
    switch (write.kind) {
      case 'append': {
        const { stream, category, tags } = write;
        for (const [i, text] of write.events.entries()) {
          const categories = stream === undefined || category === undefined ? [] : [`category ${category}`];
          feed.push({ id: `0-${feed.length + 1}`, text, stream, tags: [...categories, ...(tags?.[i] ?? [])] });
        }
        const version = stream === undefined ? 0 : this.events(partition, stream).length;
        return [{ position: feed.length, version }];
      }
      case 'put':
        states.set(write.state, [...(states.get(write.state) ?? []), write.value]);
        return;
      case 'delete':
        states.delete(write.state);
        return;
      case 'advance':
        throw new Error('the states of the model are no checkpoints');
      case 'tombstone':
        this.at(write.partition ?? partition).tombstones.set(write.effect, write.by);
        return;
      case 'list':
        // The model knows rows, not where they are listed.
        return;
      case 'drop-view':
        rows[write.view] = {};
        return;
      case 'row': {
        const { [write.id]: _former, ...others } = rows[write.view] ?? {};
        rows[write.view] = write.value === null ? others : { ...others, [write.id]: write.value };
        return;
      }
      case 'emit':
        this.deliverTo({ partition: write.to, log: write.log ?? 'in' }, write.message);
        return;
      case 'reply':
        this.at(write.to.partition).replies[write.to.instance]?.push(write.message);
        return;
      case 'timer': {
        const { id, due, message, partition: home = partition, to = { partition: home, log: 'in' } } = write;
        this.at(home).timers.set(id, { due, message, to });
        return;
      }
      case 'cancel-timer':
        this.at(write.partition ?? partition).timers.delete(write.id);
        return;
      case 'dead-letter': {
        // Two of the same are two.
        const letter = { ...write.letter };
        dead.push(letter);
        const parked = this.parked(partition, { ...write.letter, key: write.letter.key ?? '' });
        if (write.park === 'head') parked.held = 'letter';
        if (write.park === 'behind') parked.behind.push(letter);
        return;
      }
      case 'unpark': {
        const parked = this.parked(partition, write);
        const next = parked.behind.shift();
        parked.held = next && 'redriven';
        if (!next) return;
        this.at(partition).dead = dead.filter((letter) => letter !== next);
        const waited = next.reason === 'parked';
        (own[write.group] ??= []).push([
          ...['origin', `${next.entry.source.log}/${next.entry.id}`],
          ...['redriven', `${next.redriven + (waited ? 0 : 1)}`],
          ...['first', waited ? '' : `${next.first}`, 'parked', write.key],
          ...next.fields,
        ]);
        return;
      }
      case 'redrive':
      case 'discard':
        throw new Error('the ids of dead letters are not known to the model');
      case 'retry':
        this.at(write.entry.source.partition).retries.set(retryKey(write.entry, write.group), write.record);
        return;
      case 'clear-retry':
        this.at(write.entry.source.partition).retries.delete(retryKey(write.entry, write.group));
        return;
    }
  }

  private deliverTo({ partition, log }: Source, text: string): void {
    const { feed, inbox } = this.at(partition);
    if (log === 'feed') feed.push({ id: `0-${feed.length + 1}`, text, stream: undefined, tags: [] });
    else inbox.push({ text });
  }

  private parked(
    partition: { readonly index: number },
    { group, key }: { readonly group: string; readonly key: string },
  ) {
    const { parked } = this.at(partition);
    const state = parked.get(`${group} ${key}`) ?? { held: undefined, behind: [] };
    parked.set(`${group} ${key}`, state);
    return state;
  }

  private group({ partition, log }: Source, group: string) {
    return (this.at(partition).groups[`${log} ${group}`] ??= { delivered: 0, pending: [] });
  }
}

function retryKey({ source, id }: EntryRef, group: string): string {
  return `${group} ${source.log} ${id}`;
}
