import type { Broker, Commit, CommitResult, Committing, Entry, Guard } from '@millrace/broker';
import { MESSAGE_FIELD } from '@millrace/messages';
import { checkpointName, digestOf } from './checkpoint.js';
import { fold } from './fold.js';
import { PersonalRows, rowPlanOf } from './personal-rows.js';
import { ProjectionControl } from './projection-control.js';
import type { ProjectionDeclaration } from './projection.js';
import { RowBuffer } from './row-buffer.js';

/**
 * Adds to a commit that appends events the rows that an inline projection makes of them.
 *
 * The commit is refused when the view lacks an event before them: then it waits for whoever projects asynchronously; and
 * when somebody has changed a row meanwhile: then the rows are made anew. All other guards mean what they meant.
 */
export class InlineStage {
  private readonly control: ProjectionControl;
  private readonly personal: PersonalRows;

  /** @param serving the build of this version that serves; undefined: another version does */
  constructor(
    private readonly broker: Broker,
    private readonly declaration: ProjectionDeclaration,
    private readonly projection: object,
    private readonly serving: () => Promise<string | undefined>,
  ) {
    this.control = new ProjectionControl(broker, declaration);
    this.personal = new PersonalRows(broker, rowPlanOf(declaration));
  }

  async commit(commit: Commit, next: Committing): Promise<CommitResult> {
    const entries = this.entriesOf(commit);
    if (entries.length === 0) return next(commit);
    for (;;) {
      const build = await this.serving();
      if (build === undefined) return next(commit);
      const result = await next(await this.completed(commit, entries, build));
      if (result.status === 'committed') return result;
      if (result.guard === 'reached') await this.caughtUp(commit);
      else if (result.guard !== 'row') return result;
    }
  }

  /** @throws what a method throws: an event that cannot be projected is not appended */
  private async completed(commit: Commit, entries: readonly Entry[], build: string): Promise<Commit> {
    const { partition } = commit;
    const read = new Map<string, string | undefined>();
    const rows = new RowBuffer(
      async (id) => {
        const row = await this.broker.store.readRow(partition, build, id);
        read.set(id, row);
        return row === undefined ? undefined : (JSON.parse(await this.personal.open(build, id, row)) as unknown);
      },
      this.declaration.indexes,
      rowPlanOf(this.declaration),
    );
    const folding = { after: 0, attempt: 1, build, isReplay: () => false };
    const { failure } = await fold(this.broker, this.declaration, this.projection, entries, rows, folding);
    if (failure) throw failure.error;
    const written = await this.personal.seal(rows.writes(build));
    const state = checkpointName(build);
    const unchanged = Array.from(read, ([id, row]): Guard => ({ kind: 'row', view: build, id, expected: row ?? null }));
    return {
      partition,
      guards: [...commit.guards, ...unchanged, { kind: 'reached', state }],
      writes: [...commit.writes, ...written, { kind: 'advance', state, last: digestOf(entries.at(-1)!) }],
    };
  }

  /** The events as they will be read; only the commit gives them their positions. */
  private entriesOf({ partition, writes }: Commit): readonly Entry[] {
    if (partition.context !== this.broker.context) return [];
    const source = { partition, log: 'feed' } as const;
    return writes.flatMap((write) =>
      write.kind === 'append' ? write.events.map((text) => ({ source, id: '0-0', fields: [MESSAGE_FIELD, text] })) : [],
    );
  }

  private async caughtUp({ partition }: Commit): Promise<void> {
    await this.control.waitFor({ partition, position: await this.broker.store.head(partition) });
  }
}
