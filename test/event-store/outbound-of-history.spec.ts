import { BrokerModule, InMemoryPartitionStore } from '@millrace/broker';
import { Aggregate, AggregateRoot, Apply, EventStoreModule, Projection, Projects } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { claimCheck, compress, filter, InMemoryClaimStore, translate } from '@millrace/transforms';
import type { OutboundTransform } from '@millrace/transforms';
import type { DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';

@Event('lamp.lit')
class Lit {}

@Event('lamp.dimmed')
class Dimmed {}

@Aggregate('lamp')
class Lamp extends AggregateRoot {
  @Apply(Lit) protected lit(): void {}
}

@Projection('lights')
class Lights {
  @Projects(Lit) lit(): void {}
}

const history = {
  'aggregate lamp': EventStoreModule.forFeature({ aggregates: [Lamp] }),
  'projection lights.v1': EventStoreModule.forFeature({ projections: [Lights] }),
  'event store': EventStoreModule.forFeature({ events: [Lit] }),
};

/** Starts a service that has a history, and these transforms. */
async function start(feature: DynamicModule, ...outbound: OutboundTransform[]): Promise<void> {
  const module = await Test.createTestingModule({
    imports: [
      BrokerModule.forRoot({ context: 'lamp', store: new InMemoryPartitionStore() }),
      feature,
      BrokerModule.forFeature({ outbound }),
    ],
    providers: [Lights],
  }).compile();
  module.useLogger(false);
  try {
    await module.init();
  } finally {
    await module.close();
  }
}

const claims = new InMemoryClaimStore();

describe('outbound transforms keep a service from starting', () => {
  it.each(Object.entries(history))('when claims would be made of the history of: %s', async (by, feature) => {
    await expect(start(feature, claimCheck(claims))).rejects.toThrow(
      `transforms cannot work: 'claim-check over 65536 bytes' is outbound and would leave data of lamp.lit, which is read from ` +
        `history, in a store that forgets them: say which messages it is for, claimCheck(store, { of: [...] }) (${by} has it)`,
    );
    await expect(start(feature, claimCheck(claims, { of: [Lit, Dimmed] }))).rejects.toThrow(
      'would leave data of lamp.lit',
    );
    const dimmed = translate(Lit, Dimmed, () => ({}));
    await expect(start(feature, dimmed, claimCheck(claims, { of: [Dimmed] }))).rejects.toThrow('would leave data');
  });

  it('when they would do more than map to what an aggregate records', async () => {
    const filtering = filter(Lit, () => true);
    await expect(start(history['aggregate lamp'], filtering)).rejects.toThrow(
      "'filter lamp.lit' is outbound, and aggregate lamp records lamp.lit, which can only be mapped",
    );
    await expect(start(history['projection lights.v1'], filtering)).resolves.toBeUndefined();
  });

  it.each(Object.entries(history))('but not when they are for other messages, or map: %s', async (_by, feature) => {
    await expect(start(feature, compress(), claimCheck(claims, { of: [Dimmed] }))).resolves.toBeUndefined();
  });
});
