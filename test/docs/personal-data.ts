/** The code of docs/guides/personal-data.md, region by region. The specs beside it compare, compile and run it. */

// #region declare
import { DataSubject, Event, PersonalData } from '@millrace/messages';
import { IsEmail, IsString } from 'class-validator';

@Event('club.joined', { key: 'memberId' })
export class Joined {
  @DataSubject() @IsString() memberId: string;
  @PersonalData({ placeholder: 'former member' }) @IsString() name: string;
  @PersonalData() @IsEmail() email: string;

  constructor(memberId: string, name: string, email: string) {
    this.memberId = memberId;
    this.name = name;
    this.email = email;
  }
}

@Event('club.visited', { key: 'memberId' })
export class Visited {
  @IsString() memberId: string;

  constructor(memberId: string) {
    this.memberId = memberId;
  }
}
// #endregion

// #region configure
import { BrokerModule, RedisSubjectKeys } from '@millrace/broker';

export const broker = BrokerModule.forRootAsync({
  useFactory: () => ({
    context: 'club',
    personalData: {
      keys: new RedisSubjectKeys({ url: process.env['KEYS_URL']! }),
      masterKey: process.env['MASTER_KEY']!, // openssl rand -base64 32
    },
  }),
});
// #endregion

// #region forget
import { DataSubjects } from '@millrace/broker';
import { Injectable } from '@nestjs/common';

@Injectable()
export class Reception {
  constructor(private readonly people: DataSubjects) {}

  leave(memberId: string): Promise<boolean> {
    return this.people.forget(memberId); // false: there was no key
  }
}
// #endregion

// #region handler
import { On } from '@millrace/broker';
import type { MessageContext } from '@millrace/broker';
import { isErased } from '@millrace/messages';

@Injectable()
export class Welcome {
  readonly written: string[] = [];

  @On(Joined, { group: 'welcome' })
  write({ name, email }: Joined, { envelope }: MessageContext): void {
    if (isErased(envelope)) return; // forgotten before the letter was written
    this.written.push(`${email}: welcome, ${name}`);
  }
}
// #endregion

// #region aggregate
import { Aggregate, AggregateRoot, Apply, Projection, Projects } from '@millrace/event-store';
import type { View } from '@millrace/event-store';

@Aggregate('member', { snapshot: { every: 100 } })
export class Member extends AggregateRoot {
  name = '';
  email: string | null = null;
  visits = 0;

  join(name: string, email: string): void {
    this.record(new Joined(this.id, name, email));
  }

  visit(): void {
    this.record(new Visited(this.id));
  }

  @Apply(Joined) protected joined({ name, email }: Joined): void {
    this.name = name;
    this.email = email;
  }

  @Apply(Visited) protected visited(): void {
    this.visits++;
  }
}

export class MemberRow {
  @DataSubject() memberId!: string;
  @PersonalData({ placeholder: 'former member' }) name!: string;
  visits!: number;
}

export const byVisits = { visits: (row: MemberRow) => row.visits };

@Projection('members', { personalData: MemberRow, indexes: byVisits })
export class Members {
  @Projects(Joined) joined({ memberId, name }: Joined, view: View<MemberRow>): void {
    view.put(memberId, { memberId, name, visits: 0 });
  }

  @Projects(Visited) async visited({ memberId }: Visited, view: View<MemberRow>): Promise<void> {
    await view.update(memberId, (row) => row && { ...row, visits: row.visits + 1 });
  }
}
// #endregion

// #region module
import { EventStoreModule } from '@millrace/event-store';
import { Module } from '@nestjs/common';

@Module({
  imports: [broker, EventStoreModule.forFeature({ aggregates: [Member], projections: [Members] })],
  providers: [Reception, Welcome],
})
export class ClubModule {}
// #endregion
