import type { Commit, CommitResult, DeadLetter, EntryRef, Guard, RetryRecord, Source, Write } from '@millrace/broker';

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
  readonly feed: { readonly id: string; readonly text: string; readonly stream: string | undefined }[];
  readonly inbox: ModelMessage[];
  /** By the instances that wait. */
  readonly replies: Record<string, string[]>;
  /** All values put since the state was last deleted. */
  readonly states: Map<string, readonly string[]>;
  readonly rows: Record<string, Record<string, string>>;
  readonly commands: Record<string, string>;
  readonly timers: Map<string, ModelTimer>;
  readonly dead: DeadLetter[];
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
      timers: new Map(),
      dead: [],
      groups: {},
      retries: new Map(),
      epochs: {},
    }));
  }

  at(partition: { readonly index: number }): ModelPartition {
    return this.partitions[partition.index]!;
  }

  commit(commit: Commit): CommitResult {
    for (const kind of ['lease', 'command', 'version', 'revision', 'timer', 'input'] as const) {
      for (const guard of commit.guards.filter((each) => each.kind === kind)) {
        const found = this.refusal(commit, guard);
        if (found !== undefined) return { status: 'refused', guard: kind, found };
      }
    }
    for (const guard of commit.guards) {
      if (guard.kind === 'command') this.at(commit.partition).commands[guard.id] = guard.result;
      if (guard.kind === 'input') {
        const group = this.group(guard.entry.source, guard.group);
        group.pending = group.pending.filter(({ message }) => message.id !== guard.entry.id);
      }
    }
    const appended = commit.writes.flatMap((write) => this.write(commit, write) ?? []);
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
        return differs(this.at(guard.partition).epochs[guard.group] ?? 0, guard.epoch);
      case 'command':
        return this.at(partition).commands[guard.id];
      case 'version':
        return differs(this.events(partition, guard.stream).length, guard.expected);
      case 'revision':
        return differs(this.revision(partition, guard.state), guard.expected);
      case 'timer': {
        const due = this.due(guard.partition ?? partition, guard.id);
        return due === guard.due ? undefined : `${due ?? 'unset'}`;
      }
      case 'input': {
        const pending = this.pending(guard.entry.source, guard.group);
        return pending.some(({ id }) => id === guard.entry.id) ? undefined : 'acknowledged';
      }
    }
  }

  private write({ partition }: Commit, write: Write) {
    const { feed, states, rows, dead } = this.at(partition);
    switch (write.kind) {
      case 'append': {
        const { stream } = write;
        for (const text of write.events) feed.push({ id: `0-${feed.length + 1}`, text, stream });
        const version = stream === undefined ? 0 : this.events(partition, stream).length;
        return [{ position: feed.length, version }];
      }
      case 'put':
        states.set(write.state, [...(states.get(write.state) ?? []), write.value]);
        return;
      case 'delete':
        states.delete(write.state);
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
      case 'dead-letter':
        dead.push(write.letter);
        return;
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
    if (log === 'feed') feed.push({ id: `0-${feed.length + 1}`, text, stream: undefined });
    else inbox.push({ text });
  }

  private group({ partition, log }: Source, group: string) {
    return (this.at(partition).groups[`${log} ${group}`] ??= { delivered: 0, pending: [] });
  }
}

function retryKey({ source, id }: EntryRef, group: string): string {
  return `${group} ${source.log} ${id}`;
}
