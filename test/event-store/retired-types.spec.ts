import { BrokerModule, InMemoryPartitionStore, On } from '@millrace/broker';
import {
  Aggregate,
  AggregateRoot,
  Apply,
  decider,
  EventStoreModule,
  Projection,
  Projects,
} from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { renamed, retired } from '@millrace/transforms';
import { Injectable } from '@nestjs/common';
import type { ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';

@Event('lamp.lit')
class Lit {}

@Event('lamp.flagged')
class Flagged {}

@Aggregate('lamp')
class Lamp extends AggregateRoot {
  @Apply(Flagged) protected flagged(): void {}
}

@Aggregate('other')
class Other extends AggregateRoot {
  @Apply(Lit) protected lit(): void {}
}

const torch = decider({
  name: 'torch',
  initial: () => 0,
  evolve: (on) => [on(Flagged, (flags) => flags + 1)],
  decide: () => new Flagged(),
});

@Projection('flags')
class Flags {
  @Projects(Flagged) flagged(): void {}
}

@Injectable()
class Watch {
  @On(Flagged, { group: 'watch' }) flagged(): void {}
}

/** Starts a service in which `lamp.flagged` is retired. */
async function start({ imports = [], providers = [] }: ModuleMetadata): Promise<void> {
  const module = await Test.createTestingModule({
    imports: [
      BrokerModule.forRoot({ context: 'lamp', store: new InMemoryPartitionStore() }),
      ...imports,
      BrokerModule.forFeature({ stored: [renamed('lamp.kindled', Lit), retired('lamp.flagged')] }),
    ],
    providers,
  }).compile();
  module.useLogger(false);
  try {
    await module.init();
  } finally {
    await module.close();
  }
}

describe('a type that is retired keeps a service from starting', () => {
  it('when an aggregate applies it, as a class or as functions', async () => {
    const imports = [EventStoreModule.forFeature({ aggregates: [Lamp, torch] })];
    await expect(start({ imports })).rejects.toThrow(
      'transforms cannot work: lamp.flagged is retired, and aggregate lamp has it: keep one; ' +
        'lamp.flagged is retired, and aggregate torch has it: keep one',
    );
  });

  it('when a projection takes it', async () => {
    const imports = [EventStoreModule.forFeature({ projections: [Flags] })];
    await expect(start({ imports })).rejects.toThrow(
      'lamp.flagged is retired, and projection flags.v1 has it: keep one',
    );
  });

  it('when a handler takes it', async () => {
    await expect(start({ providers: [Watch] })).rejects.toThrow(
      'lamp.flagged is retired, and Watch.flagged handles it: keep one',
    );
  });

  it('when a module says that it is published', async () => {
    const imports = [BrokerModule.forFeature({ publishes: [Flagged] })];
    await expect(start({ imports })).rejects.toThrow('lamp.flagged is retired, and code of the service has it');
  });

  it('and not when nothing has it', async () => {
    const imports = [EventStoreModule.forFeature({ aggregates: [Other] })];
    await expect(start({ imports })).resolves.toBeUndefined();
  });
});
