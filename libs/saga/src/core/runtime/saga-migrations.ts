import { ConfigurationError } from '@millrace/broker';
import type { Broker } from '@millrace/broker';
import type { Move } from '../migration.js';
import { nameOf, person } from './saga-control.js';
import type { Decision, SagaRef } from './saga-control.js';
import type { AnyDefinition } from './saga-definitions.js';
import { hasEnded } from '../instance.js';
import { idIn, listedBy, SAGA_INDEX, within } from './saga-index.js';
import type { SagaInstances } from './saga-instances.js';

const PAGE = 100;

export interface MigrationPlan<Old = never, New = unknown> extends Move<Old, New>, Decision {
  /** The version that instances are in. */
  readonly from: number;
  /** The version that they go on with. */
  readonly to: number;
}

export interface MigrationOptions {
  /** Only say what would happen. */
  readonly dryRun?: boolean;
}

export interface MigrationReport {
  /** Ids of the instances that go on with the other version. */
  readonly migrated: readonly string[];
  /** Those that stay, and why. Instances that have ended are not among them. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

/** Moves instances that are under way to another version of their saga. */
export class SagaMigrations {
  constructor(
    private readonly broker: Broker,
    private readonly instances: SagaInstances,
  ) {}

  /** @throws ConfigurationError when this service does not run both versions, or nobody says who and why */
  async migrate(
    saga: SagaRef,
    plan: MigrationPlan,
    { dryRun = false }: MigrationOptions = {},
  ): Promise<MigrationReport> {
    const name = nameOf(saga);
    const [from, to] = [this.version(name, plan.from), this.version(name, plan.to)];
    const mover = person('migrate', plan);
    const migrated: string[] = [];
    const refused: { readonly id: string; readonly reason: string }[] = [];
    for await (const id of this.underWay(name, from.version)) {
      const reason = await this.instances.migrate(from, to, id, plan as Move, mover, dryRun);
      if (reason === undefined) migrated.push(id);
      else refused.push({ id, reason });
    }
    return { migrated, refused };
  }

  private version(name: string, version: number): AnyDefinition {
    const all = this.instances.definitions.all.filter((definition) => definition.name === name);
    const found = all.find((definition) => definition.version === version);
    if (found) return found;
    const known = all.map((each) => each.version).join(', ') || 'none';
    throw new ConfigurationError(
      `saga '${name}' has no version ${version} in this service, which has ${known}: keep the class of each version that is moved from or to`,
    );
  }

  private async *underWay(name: string, version: number): AsyncGenerator<string> {
    for (let index = 0; index < this.broker.partitions; index++) {
      const partition = { context: this.broker.context, index };
      const range = { ...within(listedBy.saga(name)), limit: PAGE };
      let rows = await this.broker.store.listRows(partition, SAGA_INDEX, range);
      while (rows.length > 0) {
        for (const row of rows) {
          const { id } = idIn(row.id);
          const instance = await this.instances.find(name, id);
          if (instance?.version === version && !hasEnded(instance)) yield id;
        }
        const after = rows.at(-1)!;
        rows = await this.broker.store.listRows(partition, SAGA_INDEX, { ...range, after });
      }
    }
  }
}
