import { SagaModule, Sagas } from '@millrace/saga';
import { Module } from '@nestjs/common';
import { Meeting } from '../support/services.js';
import { outcomeOf, reaches } from '../saga/meet.js';
import { Depot, DepotModule, Desk, Moving, ParcelsModule, SendInsuredParcel, SendParcel } from './sagas.js';

@Module({
  imports: [ParcelsModule, DepotModule, SagaModule.forFeature([SendInsuredParcel])],
  providers: [Moving],
})
class NextParcelsModule {}

describe('the code of the guide to sagas', () => {
  const heavy = (id: string) => ({ id, weight: 31 });

  it('stops for a person, who finishes it', async () => {
    const service = await Meeting.inMemory().service({ context: 'parcels', imports: [ParcelsModule] });
    const get = service.app.get.bind(service.app);
    const [sagas, depot, desk] = [
      get(Sagas, { strict: false }),
      get(Depot, { strict: false }),
      get(Desk, { strict: false }),
    ];
    depot.down = true;
    for (const id of ['p1', 'p2', 'p3', 'p4']) await sagas.start(SendParcel, heavy(id));
    for (const id of ['p1', 'p2', 'p3', 'p4']) await reaches(service, SendParcel, id, (p) => p.status === 'parked');
    expect(await desk.look('p1')).toEqual(['undo keep: the depot does not answer, 1 attempt']);

    depot.down = false;
    await desk.retry('p1');
    await reaches(service, SendParcel, 'p1', ({ status }) => status === 'compensated');
    await desk.resolve('p2');
    await desk.skip('p3');
    await desk.abort('p4');
    for (const id of ['p2', 'p3'])
      expect(await outcomeOf(service, SendParcel, id)).toMatchObject({ status: 'compensated' });
    expect(await outcomeOf(service, SendParcel, 'p4')).toMatchObject({ status: 'aborted' });
  });

  it('moves what is parked to the next version, once it was tried', async () => {
    const meeting = Meeting.inMemory();
    const old = await meeting.service({ context: 'parcels', imports: [ParcelsModule] });
    old.app.get(Depot, { strict: false }).down = true;
    await old.app.get(Sagas, { strict: false }).start(SendParcel, heavy('p5'));
    await reaches(old, SendParcel, 'p5', ({ status }) => status === 'parked');
    await old.close();

    const service = await meeting.service({ context: 'parcels', imports: [NextParcelsModule] });
    const moving = service.app.get(Moving, { strict: false });
    expect(await moving.move(true)).toEqual([]);
    await reaches(service, SendInsuredParcel, 'p5', ({ version }) => version === 1);
    expect(await moving.move(false)).toEqual([]);
    await reaches(service, SendInsuredParcel, 'p5', ({ version, state }) => version === 2 && !state.insured);
  });
});
