import { isOver, Sagas } from '@millrace/saga';
import type { SagaClass, SagaInstance, StateOf } from '@millrace/saga';
import type { Type } from '@nestjs/common';
import { eventually } from '../support/redis.js';
import { Meeting } from '../support/services.js';
import type { Service } from '../support/services.js';

/** The clock of services, which tests move on. */
export class SkippingClock {
  private ahead = 0;

  now(): number {
    return Date.now() + this.ahead;
  }

  skip(ms: number): void {
    this.ahead += ms;
  }
}

export const STORES: [string, () => Meeting][] = [
  ['memory', () => Meeting.inMemory()],
  ['Redis', () => Meeting.inRedis()],
];

/** Starts services, each a module that is named as its context is. */
export async function meet<Context extends string>(
  meeting: Meeting,
  modules: Readonly<Record<Context, Type>>,
  clock = new SkippingClock(),
): Promise<Readonly<Record<Context, Service>>> {
  const contexts = Object.keys(modules) as Context[];
  const partitions = Object.fromEntries(contexts.map((context) => [context, 1]));
  const services: [Context, Service][] = [];
  for (const context of contexts) {
    const service = await meeting.service({ context, imports: [modules[context]], partitions, clock, blockMs: 20 });
    services.push([context, service]);
  }
  return Object.fromEntries(services) as Record<Context, Service>;
}

/** An instance, as soon as it is as it should be. */
export function reaches<S extends SagaClass>(
  { app }: Service,
  saga: S,
  id: string,
  when: (instance: SagaInstance<StateOf<S>>) => boolean,
): Promise<SagaInstance<StateOf<S>>> {
  return eventually(async () => {
    const instance = await app.get(Sagas, { strict: false }).find(saga, id);
    if (instance && when(instance)) return instance;
    throw new Error(`saga ${id} is ${JSON.stringify(instance)}`);
  });
}

/** An instance, as soon as it has ended or is parked. */
export function outcomeOf<S extends SagaClass>(
  service: Service,
  saga: S,
  id: string,
): Promise<SagaInstance<StateOf<S>>> {
  return reaches(service, saga, id, isOver);
}
