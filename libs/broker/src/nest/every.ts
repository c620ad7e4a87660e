import 'reflect-metadata';
import { inspect } from 'node:util';
import type { DiscoveryService } from '@nestjs/core';
import { findContract } from '@millrace/messages';
import { ConfigurationError } from '../core/errors.js';
import { describe } from '../core/dead-lettering.js';
import { checkOptions } from '../core/options/check-options.js';
import type { Rules } from '../core/options/check-options.js';
import { oneOf, text } from '../core/options/rules.js';
import type { RecurrenceOptions } from '../core/recurrence.js';

export interface EveryOptions extends Omit<RecurrenceOptions, 'cron'> {
  /** Its schedule is `every:<id>`. Default: the type of the message. */
  readonly id?: string;
  /** Messages of one key are handled in order. Default: the contract's key property, else none. */
  readonly key?: string;
  /** Name of the connection. Default: the one without a name. */
  readonly broker?: string;
}

/** The time zone is checked with its expression. */
const RULES: Rules<EveryOptions> = {
  timeZone: text,
  missed: oneOf('once', 'skip', 'all'),
  id: text,
  key: text,
  broker: text,
};

interface EveryMetadata extends EveryOptions {
  readonly cron: string;
  readonly message: () => object;
}

/** A declaration with the name of the class that has it. */
export interface FoundSchedule extends EveryMetadata {
  readonly name: string;
}

const SCHEDULES = Symbol.for('millrace:schedules');

/**
 * Sends a command or publishes an event again and again, each time once for all processes of the service. Stands on a
 * provider or controller, or on one of its methods. Every process that starts sets what it declares; a schedule that is there
 * as declared goes on undisturbed.
 *
 * @param cron minute, hour, day of month, month, day of week, in the zone `timeZone`, UTC by default
 * @param message makes the message, once per start; each occurrence has an id of its own, and the time at which it was due
 *
 * @example
 * \@Every('0 3 * * *', () => new MakeReport(), { timeZone: 'Europe/Berlin' })
 * \@Handles(MakeReport)
 * makeReport() { ... }
 */
export function Every(
  cron: string,
  message: () => object,
  options: EveryOptions = {},
): ClassDecorator & MethodDecorator {
  checkOptions(`@Every('${cron}')`, options, RULES);
  if (typeof message !== 'function' || findContract(message)) {
    throw new ConfigurationError(`@Every('${cron}') takes a function that makes its message: () => new MakeReport()`);
  }
  return (target: object) => {
    const type = typeof target === 'function' ? target : target.constructor;
    Reflect.defineMetadata(SCHEDULES, [...schedulesOf(type), { ...options, cron, message }], type);
  };
}

/** Every declaration on the providers and controllers of an application. */
export function findSchedules(discovery: DiscoveryService): readonly FoundSchedule[] {
  const wrappers = [...discovery.getProviders(), ...discovery.getControllers()];
  const types = new Set(wrappers.map(({ metatype }) => metatype).filter((type) => typeof type === 'function'));
  return [...types].flatMap((type) =>
    schedulesOf(type).map((metadata) => ({ name: `@Every on ${type.name}`, ...metadata })),
  );
}

/** @throws ConfigurationError when it cannot be made, or is none */
export function messageOf({ name, message }: FoundSchedule): object {
  let made: unknown;
  try {
    made = message();
  } catch (cause) {
    throw new ConfigurationError(`${name} cannot make its message: ${describe(cause)}`, { cause });
  }
  if (typeof made === 'object' && made !== null) return made;
  throw new ConfigurationError(`${name} gives ${inspect(made)} for a message: write () => new MakeReport()`);
}

function schedulesOf(type: object): readonly EveryMetadata[] {
  return (Reflect.getOwnMetadata(SCHEDULES, type) as EveryMetadata[] | undefined) ?? [];
}
