import type { MessageLimits } from '@millrace/messages';
import type { Clock } from './clock.js';
import { fields, must } from './options/check-options.js';
import type { Rules } from './options/check-options.js';
import { count, text, thing, yesOrNo } from './options/rules.js';
import { PERSONAL_DATA_RULES } from './personal-data/personal-data-settings.js';
import type { PersonalDataSettings } from './personal-data/personal-data-settings.js';
import type { Telemetry } from './telemetry.js';

/** One service's view of the system. */
export interface BrokerSettings {
  /** The context of this service. */
  readonly context: string;
  /**
   * Partitions of this context, default 4; or of all contexts that talk to each other, by name. The number is fixed when a
   * context is first used, by whichever service that is: where one differs from the default, give all services the same table.
   */
  readonly partitions?: number | Readonly<Record<string, number>>;
  readonly clock?: Clock;
  readonly limits?: Partial<MessageLimits>;
  /** How long the ids of published messages are remembered, ms: `publisher.publish(event, { id })`. Default: a day. */
  readonly dedupeWindowMs?: number;
  /**
   * How long it is remembered that an effect has been undone, ms; a command that comes later does it after all. Longer than any
   * message waits: in a retry, in an inbox, as a dead letter. Default: a week.
   */
  readonly tombstoneTtlMs?: number;
  /** How personal data are encrypted; needed by services whose messages have some. */
  readonly personalData?: PersonalDataSettings;
  /** Who traces and counts messages: what `openTelemetry()` gives. Default: nobody. */
  readonly telemetry?: Telemetry | undefined;
  /** Check messages with class-validator when publishing and receiving. Default true. */
  readonly validate?: boolean;
}

export const BROKER_RULES: Rules<BrokerSettings> = {
  context: text,
  // How many, and the names of contexts, are checked where they are taken.
  partitions: must(
    'a number, or numbers by the names of contexts',
    (value) => typeof value === 'number' || (typeof value === 'object' && value !== null),
  ),
  clock: thing,
  limits: fields<MessageLimits>({ maxBytes: count, maxDepth: count, maxRestoredBytes: count }),
  dedupeWindowMs: count,
  tombstoneTtlMs: count,
  validate: yesOrNo,
  telemetry: thing,
  personalData: PERSONAL_DATA_RULES,
};
