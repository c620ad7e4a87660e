import { randomBytes } from 'node:crypto';
import { BrokerModule, InMemoryPartitionStore, InMemorySubjectKeys, On } from '@millrace/broker';
import type { BoundaryTransforms } from '@millrace/broker';
import { DataSubject, Event, PersonalData } from '@millrace/messages';
import { aggregate, claimCheck, compress, InMemoryClaimStore, redact, translate } from '@millrace/transforms';
import type { Transform } from '@millrace/transforms';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';

@Event('school.enrolled', { key: 'pupil' })
class Enrolled {
  @DataSubject() pupil!: string;
  @PersonalData() name!: string;
}

@Event('school.class-full', { key: 'room' })
class ClassFull {
  room!: string;
}

const inOtherWords = translate(Enrolled, ClassFull, ({ pupil }) => ({ room: pupil }));
const gathered = aggregate(Enrolled, ClassFull, {
  by: ({ pupil }) => pupil,
  count: 2,
  combine: (pupils) => ({ room: String(pupils.length) }),
});

/** Starts a service whose handler takes what classes are full, and perhaps gathers them of the pupils itself. */
async function start(transforms: BoundaryTransforms, ofHandler: readonly Transform[] = []): Promise<void> {
  @Injectable()
  class Office {
    @On(ClassFull, { group: 'office', inbound: ofHandler }) full(): void {}
  }
  @Injectable()
  class Registry {
    @On(Enrolled, { group: 'registry' }) enrolled(): void {}
  }
  const module = await Test.createTestingModule({
    imports: [
      BrokerModule.forRoot({
        context: 'school',
        store: new InMemoryPartitionStore(),
        personalData: { keys: new InMemorySubjectKeys(), masterKey: randomBytes(32) },
      }),
      BrokerModule.forFeature(transforms),
    ],
    providers: [Office, Registry],
  }).compile();
  module.useLogger(false);
  try {
    await module.init();
  } finally {
    await module.close();
  }
}

describe('transforms of messages with personal data keep a service from starting', () => {
  it('when they are outbound, where the data are encrypted', async () => {
    for (const transform of [inOtherWords, redact(Enrolled, 'name')]) {
      await expect(start({ outbound: [transform] })).rejects.toThrow(
        `'${transform.name}' is outbound, and school.enrolled has personal data, which are encrypted by then: declare it inbound`,
      );
    }
  });

  it('when they would keep them as they are, for the service or for one handler', async () => {
    const refusal = 'keeps what it gathers as it is, and school.enrolled has personal data: gather ids instead';
    await expect(start({ inbound: [gathered] })).rejects.toThrow(refusal);
    await expect(start({}, [gathered])).rejects.toThrow(refusal);
  });

  it('and not when they map what has been decrypted, or take the message as it is', async () => {
    await expect(start({}, [inOtherWords])).resolves.toBeUndefined();
    const large = claimCheck(new InMemoryClaimStore(), { overBytes: 1_000 });
    await expect(start({ outbound: [compress({ overBytes: 100 }), large] })).resolves.toBeUndefined();
  });
});
