import { ConfigurationError } from '@millrace/broker';
import type { Broker } from '@millrace/broker';
import { Injectable } from '@nestjs/common';
import { aggregateName } from '../core/aggregate.js';
import type { AggregateClass } from '../core/aggregate.js';

/** Which class has which name in a context: two classes of one name would take each other's events. */
@Injectable()
export class AggregateNames {
  private readonly types = new Map<Broker, Map<string, AggregateClass>>();

  /** @throws ConfigurationError when another class has the name */
  add(type: AggregateClass, broker: Broker): void {
    const name = aggregateName(type);
    let types = this.types.get(broker);
    if (!types) this.types.set(broker, (types = new Map<string, AggregateClass>()));
    const other = types.get(name);
    if (other && other !== type) {
      throw new ConfigurationError(`aggregates ${other.name} and ${type.name} are both named '${name}': rename one`);
    }
    types.set(name, type);
  }
}
