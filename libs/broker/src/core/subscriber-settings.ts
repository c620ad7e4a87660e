import type { Transform } from '@millrace/transforms';
import type { ProcessSettings } from './consumer.js';
import { GROUP_RULES } from './group-options.js';
import type { GroupOptions } from './group-options.js';
import type { UndeclaredSchedules } from './keep-schedules.js';
import { each, fields } from './options/check-options.js';
import type { Rules } from './options/check-options.js';
import { duration, durationOrNone, LONGEST_TIMER_MS, integer, oneOf, transforms } from './options/rules.js';
import { RETENTION_RULES } from './retention-options.js';
import type { RetentionOptions } from './retention-options.js';

/** The options of one group by its name, and its transforms. */
export interface NamedGroupOptions extends GroupOptions {
  /** Applied to what the group receives, in this order, behind the inbound transforms of the service. */
  readonly inbound?: readonly Transform[];
}

/** How a service consumes; the options of groups hold for all of them, unless `groups` or a handler says otherwise. */
export interface SubscriberSettings extends Partial<Omit<ProcessSettings, 'owner'>>, GroupOptions {
  /**
   * Options by the name of a group, as its handlers write it, `mailer`, or in full, `order.mailer`; that of the context for
   * handlers without a group.
   */
  readonly groups?: Readonly<Record<string, NamedGroupOptions>>;
  /**
   * How much later than due a timer may fire that another process has set, ms: so often each process looks for due timers
   * while none is near. Default 100.
   */
  readonly timerLatencyMs?: number;
  /**
   * What becomes of a schedule that some process once declared with `@Every` and this one does not: `report` warns of it,
   * `remove` removes it, which is right where all processes of the service run the same code. Default: `report`, by processes
   * that declare schedules.
   */
  readonly undeclaredSchedules?: UndeclaredSchedules;
  /** How long the own context's messages are kept. Default: inboxes until acknowledged by all groups, the rest for ever. */
  readonly retention?: RetentionOptions;
}

export const SUBSCRIBER_RULES: Rules<SubscriberSettings> = {
  ...GROUP_RULES,
  groups: each(fields<NamedGroupOptions>({ ...GROUP_RULES, inbound: transforms })),
  // Redis would wait for ever at 0.
  blockMs: duration,
  // Below, a healthy process loses its partitions to those that wait for them.
  leaseTtlMs: integer(100, LONGEST_TIMER_MS),
  drainMs: durationOrNone,
  timerLatencyMs: duration,
  undeclaredSchedules: oneOf('report', 'remove'),
  retention: fields(RETENTION_RULES),
};
