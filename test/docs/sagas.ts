/** The code of docs/guides/sagas.md that is not an excerpt of test/saga. The specs beside it compare, compile and run it. */

// #region desk
import { refused, saga, Saga, SagaModule, Sagas } from '@millrace/saga';
import { Injectable, Module } from '@nestjs/common';

export interface Parcel {
  readonly id: string;
  readonly weight: number;
}

@Injectable()
export class Depot {
  /** Whether its software is down. */
  down = false;

  keep(): string {
    return 'shelf 7';
  }

  giveBack(): void {
    if (this.down) throw new Error('the depot does not answer');
  }
}

@Saga('parcel')
export class SendParcel {
  constructor(private readonly depot: Depot) {}

  readonly definition = saga<Parcel>()
    .startsByCall((parcel: Parcel) => parcel, { id: ({ id }) => id })
    .step('keep', (s) => s.calls(() => this.depot.keep()).compensates(() => this.depot.giveBack(), { attempts: 1 }))
    .step('weigh', (s) => s.calls(({ weight }) => (weight > 30 ? refused('too heavy') : undefined)));
}

@Injectable()
export class Desk {
  constructor(private readonly sagas: Sagas) {}

  /** Which steps wait for a person, and why. */
  async look(id: string): Promise<string[]> {
    const { parked = [] } = (await this.sagas.find(SendParcel, id))!;
    return parked.map(({ step, direction, reason }) => `${direction} ${step}: ${reason}`);
  }

  retry(id: string): Promise<void> {
    return this.sagas.retry(SendParcel, id, { by: 'ann', reason: 'the depot is up again' });
  }

  resolve(id: string): Promise<void> {
    return this.sagas.resolve(SendParcel, id, { by: 'ann', reason: 'fetched it myself' });
  }

  skip(id: string): Promise<void> {
    return this.sagas.skip(SendParcel, id, { by: 'ann', reason: 'not worth it' });
  }

  abort(id: string): Promise<void> {
    return this.sagas.abort(SendParcel, id, { by: 'ann', reason: 'started by mistake' });
  }
}

@Module({ providers: [Depot], exports: [Depot] })
export class DepotModule {}

@Module({
  imports: [DepotModule, SagaModule.forFeature([SendParcel], { imports: [DepotModule] })],
  providers: [Desk],
})
export class ParcelsModule {}
// #endregion

// #region versions
@Saga('parcel', { version: 2 })
export class SendInsuredParcel {
  readonly definition = saga<Parcel & { readonly insured: boolean }>()
    .startsByCall((parcel: Parcel) => ({ ...parcel, insured: true }), { id: ({ id }) => id })
    .step('keep', (s) => s.calls(() => 'shelf 7').compensates(() => undefined))
    .step('weigh', (s) => s.calls(({ weight }) => (weight > 30 ? refused('too heavy') : undefined)))
    .step('insure', (s) => s.calls(({ insured }) => (insured ? 'policy 4' : undefined)));
}

@Injectable()
export class Moving {
  constructor(private readonly sagas: Sagas) {}

  /** @returns what keeps instances where they are */
  async move(dryRun: boolean): Promise<readonly { readonly id: string; readonly reason: string }[]> {
    const state = (old: Parcel) => ({ ...old, insured: false });
    const plan = { from: 1, to: 2, state, by: 'ann', reason: 'insurance' };
    const { refused } = await this.sagas.migrate(SendInsuredParcel, plan, { dryRun });
    return refused;
  }
}
// #endregion
