import { ConfigurationError } from '@millrace/broker';
import { Injectable } from '@nestjs/common';
import { aggregateName } from '../core/aggregate.js';
import type { AggregateClass } from '../core/aggregate.js';

/** Which class has which name: two classes of one name would take each other's events. */
@Injectable()
export class AggregateNames {
  private readonly types = new Map<string, AggregateClass>();

  /** @throws ConfigurationError when another class has the name */
  add(type: AggregateClass): void {
    const name = aggregateName(type);
    const other = this.types.get(name);
    if (other && other !== type) {
      throw new ConfigurationError(`aggregates ${other.name} and ${type.name} are both named '${name}': rename one`);
    }
    this.types.set(name, type);
  }
}
