import { randomUUID } from 'node:crypto';
import type { MessageClass } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { CommitResult, Guard, Write } from './commit.js';
import { DeadLetterSearch } from './dead-letter-search.js';
import { formatLetterId, parseLetterId, viewOf } from './dead-letter-view.js';
import type { DeadLetterFilter, DeadLetterView, LetterPlace } from './dead-letter-view.js';
import { editedFields } from './edited-letter.js';
import type { Edit, EditAs } from './edited-letter.js';
import type { Subscriptions } from './handler.js';
import { PARKED } from './origin.js';
import type { KeptLetter } from './dead-letter-store.js';
import type { Partition } from './partition.js';

/** A part of a list of dead letters. */
export interface DeadLetterPage {
  readonly letters: readonly DeadLetterView[];
  /** For the next call; undefined when there are no more. */
  readonly cursor: string | undefined;
}

export type RedriveResult =
  | { readonly status: 'redriven' }
  /** It has been redriven or discarded before, or never was. */
  | { readonly status: 'gone' }
  /** It waits behind another dead letter of its key: redrive or discard that one, and it follows. */
  | { readonly status: 'parked'; readonly behind: string };

/** Longer than a commit is repeated for. */
const REMEMBERED_MS = 120_000;

/**
 * The messages that the groups of all services gave up, in the partitions of the own context and of those that groups of this
 * service read, and what can be done about them. `BrokerMonitor` and health count the same. Two that redrive or discard the same one at the same time make one transition.
 *
 * @see https://www.enterpriseintegrationpatterns.com/patterns/messaging/DeadLetterChannel.html
 */
export class DeadLetters {
  private readonly search: DeadLetterSearch;

  constructor(
    private readonly broker: Broker,
    private readonly subscriptions: Subscriptions,
  ) {
    this.search = new DeadLetterSearch(broker, subscriptions);
  }

  /**
   * Dead letters partition by partition, in each the oldest first.
   *
   * @param options.limit how many at most. Default 100
   * @param options.cursor from the page before
   * @throws ConfigurationError for a cursor that no page gave, and for a group or reason that is not known
   */
  async list(
    filter: DeadLetterFilter = {},
    { limit = 100, cursor }: { readonly limit?: number; readonly cursor?: string | undefined } = {},
  ): Promise<DeadLetterPage> {
    const letters: DeadLetterView[] = [];
    if (limit < 1) return { letters, cursor };
    for await (const [partition, letter] of this.search.walk(filter, cursor)) {
      letters.push(viewOf(partition, letter, this.broker.limits));
      if (letters.length === limit) return { letters, cursor: formatLetterId({ partition, id: letter.id }) };
    }
    return { letters, cursor: undefined };
  }

  /** One dead letter; undefined when it is not there (any more). */
  async get(id: string): Promise<DeadLetterView | undefined> {
    const place = parseLetterId(id);
    const letter = place && (await this.broker.store.readDeadLetter(place.partition, place.id));
    return letter && viewOf(place.partition, letter, this.broker.limits);
  }

  /**
   * How many there are. With a filter they all are looked at.
   *
   * @throws ConfigurationError for a group or reason that is not known
   */
  async count(filter: DeadLetterFilter = {}): Promise<number> {
    let count = 0;
    if (Object.keys(filter).length > 0) {
      for await (const _letter of this.search.walk(filter)) count++;
      return count;
    }
    for (const partition of await this.search.partitions())
      count += await this.broker.store.countDeadLetters(partition);
    return count;
  }

  /**
   * Gives a message back to the group that gave it up, and to no other, with fresh attempts. One that held its key back is
   * followed by what waits behind it, in order, before anything newer of that key.
   *
   * @param options.edit other data for it
   * @param options.as class of the message: then `edit` is given an instance of it, unchecked, and answers one
   * @throws MessageError when edited data break the contract; ConfigurationError when the group is another service's, or the
   *   message is not of the type and version of `as`
   */
  redrive<T extends object>(id: string, options: EditAs<T>): Promise<RedriveResult>;
  redrive(id: string, options?: { readonly edit?: Edit }): Promise<RedriveResult>;
  async redrive(
    id: string,
    { edit, as }: { readonly edit?: Edit; readonly as?: MessageClass } = {},
  ): Promise<RedriveResult> {
    const place = parseLetterId(id);
    const letter = place && (await this.broker.store.readDeadLetter(place.partition, place.id));
    if (!letter) return { status: 'gone' };
    const { group, key } = letter;
    const holder = await this.holderOf(place.partition, letter);
    if (holder !== undefined && letter.reason === PARKED) {
      const behind = /^\d/.test(holder) ? formatLetterId({ ...place, id: holder }) : holder;
      return { status: 'parked', behind };
    }
    const known = this.subscriptions.groups.get(group);
    const fields = edit === undefined ? undefined : await editedFields(this.broker, known, letter, edit, as);
    const taken = await this.take(place, holder === letter.id ? letter : undefined, {
      ...{ kind: 'redrive', id: letter.id, group },
      ...(fields ? { fields } : {}),
      ...(holder === letter.id ? { parked: key! } : {}),
    });
    return { status: taken ? 'redriven' : 'gone' };
  }

  /**
   * Redrives what matches; parked messages follow those that hold them back. Answers how many were redriven.
   *
   * @throws ConfigurationError for a group or reason that is not known, before anything is redriven
   */
  async redriveAll(filter: DeadLetterFilter = {}): Promise<number> {
    // Those that fail again while this goes on are left.
    const to = Math.min(Number(filter.to ?? Infinity), this.broker.clock.now() + 1);
    let redriven = 0;
    for await (const [partition, { id }] of this.search.walk({ ...filter, to })) {
      const { status } = await this.redrive(formatLetterId({ partition, id }));
      if (status === 'redriven') redriven++;
    }
    return redriven;
  }

  /** Removes a dead letter for good. What waits behind it follows. Answers whether it was there. */
  async discard(id: string): Promise<boolean> {
    const place = parseLetterId(id);
    const letter = place && (await this.broker.store.readDeadLetter(place.partition, place.id));
    if (!letter) return false;
    const head = (await this.holderOf(place.partition, letter)) === letter.id;
    const { group, key } = letter;
    const discard = { kind: 'discard', id: letter.id } as const;
    return head
      ? this.take(place, letter, discard, { kind: 'unpark', group, key: key! })
      : this.take(place, undefined, discard);
  }

  private async holderOf(partition: Partition, { group, key }: KeptLetter): Promise<string | undefined> {
    return key === undefined ? undefined : this.broker.store.readHolder(partition, group, key);
  }

  /**
   * Takes a dead letter away, in one commit. After a lost reply the id tells our own success from somebody else's.
   *
   * @param head the letter when it holds its key back
   */
  private async take(
    { partition, id }: LetterPlace,
    head: KeptLetter | undefined,
    ...writes: Write[]
  ): Promise<boolean> {
    const result = randomUUID();
    const guards: Guard[] = [
      { kind: 'command', id: `dead-letter:${id}`, result, ttlMs: REMEMBERED_MS },
      { kind: 'dead-letter', id },
    ];
    if (head) guards.push({ kind: 'parked', group: head.group, key: head.key!, behind: id });
    const outcome: CommitResult = await this.broker.commit({ partition, guards, writes });
    return outcome.status === 'committed' || (outcome.guard === 'command' && outcome.found === result);
  }
}
