import { contractOf } from '@millrace/messages';
import { ConfigurationError } from './errors.js';
import { checkName } from './keys.js';
import { recurrence } from './recurrence.js';
import type { RecurrenceOptions } from './recurrence.js';
import { EVERY } from './schedule.js';

/** A recurring schedule that stands in the code of a service. */
export interface ScheduleDeclaration extends RecurrenceOptions {
  /** Where it stands, for errors: `NightlyReports`. */
  readonly name: string;
  /** Its schedule is `every:<id>`. Default: the type of its message. */
  readonly id?: string;
  readonly message: object;
  readonly key?: string;
}

/** The schedules that the code of a service declares. */
export class DeclaredSchedules {
  /** By the id of the schedule. */
  readonly byId = new Map<string, ScheduleDeclaration>();

  /**
   * @throws ConfigurationError for what is no message, for an expression or time zone that means nothing, and for a second
   *   one with its id
   */
  add(declaration: ScheduleDeclaration): void {
    const { name } = declaration;
    const id = checked(declaration);
    const other = this.byId.get(id);
    if (other) {
      throw new ConfigurationError(
        `${other.name} and ${name} both declare the schedule '${id}': give one of them an id: @Every(..., { id })`,
      );
    }
    this.byId.set(id, declaration);
  }
}

/** The id of its schedule. */
function checked(declaration: ScheduleDeclaration): string {
  const { name, message, id } = declaration;
  try {
    const { type } = contractOf(message);
    recurrence(declaration, Date.now());
    return checkName(`${EVERY}${id ?? type}`, 'schedule');
  } catch (cause) {
    throw new ConfigurationError(`${name}: ${(cause as Error).message}`, { cause });
  }
}
