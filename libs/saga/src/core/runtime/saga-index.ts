import type { IndexEntry, Write } from '@millrace/broker';
import type { SagaDefinition } from '../definition.js';
import type { SagaInstance } from '../instance.js';
import { currentSteps } from './current-steps.js';

/** The view, in the partition of each instance, by whose indexes instances are found. */
export const SAGA_INDEX = 'saga-index';

/** What a list shows of an instance. */
export interface ListedSaga {
  readonly saga: string;
  readonly id: string;
  readonly version: number;
  readonly status: SagaInstance['status'];
  /** Names of the steps that it is at. */
  readonly steps: readonly string[];
  /** Business keys. */
  readonly keys?: Readonly<Record<string, string>>;
  /** When it turns round by itself, ms since 1970. */
  readonly deadline?: number;
  /** ms since 1970 */
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly endedAt?: number;
}

export function rowId(saga: string, id: string): string {
  return `${saga}/${id}`;
}

/** The row of an instance, for the commit that changes it. */
export function indexWrite<State>(definition: SagaDefinition<State>, instance: SagaInstance<State>): Write {
  const { saga, id, version, status, deadline, startedAt, updatedAt, endedAt } = instance;
  const steps = currentSteps(definition, instance);
  const keys = definition.keys?.(instance.state);
  const row: ListedSaga = {
    saga,
    id,
    version,
    status,
    steps,
    ...(keys ? { keys } : {}),
    ...(deadline === undefined ? {} : { deadline }),
    startedAt,
    updatedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
  };
  return { kind: 'row', view: SAGA_INDEX, id: rowId(saga, id), value: JSON.stringify(row), entries: entriesOf(row) };
}

function entriesOf({ saga, status, steps, keys = {}, deadline, startedAt }: ListedSaga): readonly IndexEntry[] {
  const started = time(startedAt);
  return [
    { index: 'saga', value: `${saga} ${started}` },
    { index: 'status', value: `${saga} ${status} ${started}` },
    ...steps.map((step) => ({ index: 'step', value: `${saga} ${step}\n${started}` })),
    ...(deadline === undefined ? [] : [{ index: 'deadline', value: `${saga} ${time(deadline)}` }]),
    ...Object.entries(keys).map(([name, value]) => ({ index: 'key', value: `${saga} ${name}=${value}` })),
  ];
}

/** Sorted as times are. */
export function time(ms: number): string {
  return String(Math.max(0, Math.trunc(ms))).padStart(15, '0');
}
