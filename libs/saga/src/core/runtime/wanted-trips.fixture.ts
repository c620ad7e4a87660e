import { Event } from '@millrace/messages';
import { IsString } from 'class-validator';

/** Starts a trip of the tests. */
@Event('trips.wanted', { key: 'trip' })
export class Wanted {
  @IsString() readonly trip: string;
  @IsString() readonly customer: string;

  constructor(trip: string, customer = 'c1') {
    this.trip = trip;
    this.customer = customer;
  }
}

/** What it waits for. */
@Event('trips.agreed', { key: 'trip' })
export class Agreed {
  @IsString() readonly trip: string;

  constructor(trip: string) {
    this.trip = trip;
  }
}
