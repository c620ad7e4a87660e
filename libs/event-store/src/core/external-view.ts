import type { Broker } from '@millrace/broker';
import type { ExternalProjection } from './external-projection.js';
import { ProjectionBuilds } from './projection-builds.js';
import { projectionOf } from './projection.js';
import type { ProjectionClass } from './projection.js';

/**
 * Reads the rows of a projection that stand in another database, in the build that serves.
 *
 * @typeParam Handle what reads there, as the methods of the projection have it
 */
export class ExternalView<Handle> {
  private readonly builds: ProjectionBuilds;

  constructor(
    private readonly broker: Broker,
    private readonly projection: ExternalProjection<Handle>,
  ) {
    this.builds = new ProjectionBuilds(broker, projectionOf(projection.constructor as ProjectionClass));
  }

  /**
   * Reads within one transaction, so all that is read is as of one moment.
   *
   * @param work only reads, because it is done again when another build serves and the one that was read has been removed
   * @throws what `work` throws
   */
  async read<T>(work: (handle: Handle) => Promise<T>): Promise<T> {
    const { context } = this.broker;
    for (;;) {
      const build = await this.builds.serving();
      try {
        return await this.projection.database.read({ context, build }, work);
      } catch (error) {
        if ((await this.builds.serving()) === build) throw error;
      }
    }
  }
}
