import { ConfigurationError } from '@millrace/broker';
import type { Broker } from '@millrace/broker';
import { Injectable } from '@nestjs/common';
import { modelOf } from '../core/aggregate-type.js';
import type { AggregateType } from '../core/aggregate-type.js';

/** Which aggregate has which name in a context: two of one name would take each other's events. */
@Injectable()
export class AggregateNames {
  private readonly types = new Map<Broker, Map<string, AggregateType>>();

  /** @throws ConfigurationError when another one has the name */
  add(type: AggregateType, broker: Broker): void {
    let types = this.types.get(broker);
    if (!types) this.types.set(broker, (types = new Map<string, AggregateType>()));
    claimName(type, types);
  }
}

/** @throws ConfigurationError when another one has the name */
export function claimName(type: AggregateType, types: Map<string, AggregateType>): void {
  const { name, label } = modelOf(type);
  const other = types.get(name);
  if (other && other !== type) {
    const both = `${modelOf(other).label} and ${label}`;
    throw new ConfigurationError(`aggregates ${both} are both named '${name}': rename one`);
  }
  types.set(name, type);
}
