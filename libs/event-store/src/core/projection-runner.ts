import { setTimeout as delay } from 'node:timers/promises';
import type { Broker } from '@millrace/broker';
import { buildsOf, switched, versionOf } from './build-record.js';
import type { BuildRecord } from './build-record.js';
import { BuildRunner } from './build-runner.js';
import type { ParkedEvent } from './parked-event.js';
import { InlineStage } from './inline-stage.js';
import { ProjectionBuilds } from './projection-builds.js';
import { projectionOf } from './projection.js';
import type { ProjectionClass, ProjectionDeclaration } from './projection.js';
import type { ProjectionListener, ProjectionStatus } from './projection-status.js';

/** How often the builds are looked at, ms: so soon a rebuild begins that another process has asked for. */
const REVIEW_MS = 1_000;
/** As long as one of them catches up. */
const REVIEW_BUILDING_MS = 50;

/**
 * Runs one version of a projection: keeps its builds up to date, and lets one that has caught up serve. Every replica of a
 * service may run it, also different versions at once.
 */
export class ProjectionRunner {
  private readonly declaration: ProjectionDeclaration;
  private readonly builds: ProjectionBuilds;
  private readonly runners = new Map<string, BuildRunner>();
  private readonly stopping = new AbortController();
  private record: BuildRecord | undefined;
  private running: Promise<void> | undefined;

  /** @param projection an instance of the class that `type` declares */
  constructor(
    private readonly broker: Broker,
    type: ProjectionClass,
    private readonly projection: object,
    private readonly listener: ProjectionListener = {},
  ) {
    this.declaration = projectionOf(type);
    this.builds = new ProjectionBuilds(broker, this.declaration);
    if (this.declaration.mode === 'inline') {
      const stage = new InlineStage(broker, this.declaration, projection, () => this.serving());
      broker.complete((commit, next) => stage.commit(commit, next));
    }
  }

  /** Idempotent. */
  start(): void {
    this.running ??= this.run();
  }

  /** Ends after the commits under way. Idempotent; a stopped runner stays stopped. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await Promise.all(Array.from(this.runners.values(), (runner) => runner.stop()));
  }

  /** Of every build that this process keeps up to date, on every partition. Empty until the store has been asked for them. */
  status(): readonly ProjectionStatus[] {
    return Array.from(this.runners.values(), (runner) => runner.status()).flat();
  }

  /** @returns the event with its new failure; undefined when it has been projected, or its build is not kept up to date */
  async retry(event: ParkedEvent): Promise<ParkedEvent | undefined> {
    return this.runners.get(event.projection)?.retry(event);
  }

  /** The build that serves, as it was last seen, if it is of this version. */
  private async serving(): Promise<string | undefined> {
    const { serving } = (this.record ??= await this.builds.declare());
    return versionOf(serving) === this.declaration.version ? serving : undefined;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const waitMs = await this.review().catch((error: unknown) => this.unreachable(error));
      await delay(waitMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  /** @returns when to look again, ms */
  private async review(): Promise<number> {
    const record = (this.record = await this.builds.declare());
    const wanted = buildsOf(record, this.declaration.version);
    for (const [build, role] of wanted) this.runner(build, role);
    for (const [build, runner] of this.runners) {
      if (wanted.has(build)) continue;
      this.runners.delete(build);
      await runner.stop();
    }
    const { building } = record;
    if (building === undefined || versionOf(building) !== this.declaration.version) return REVIEW_MS;
    if (!(await this.builds.caughtUp(building))) return REVIEW_BUILDING_MS;
    const { serving } = record;
    const now = await this.builds.change((latest) => latest && switched(latest, building));
    if (now) this.listener.switched?.(serving, building);
    return 0;
  }

  private runner(build: string, role: BuildRunner['role']): void {
    let runner = this.runners.get(build);
    if (!runner) {
      const { declaration, projection } = this;
      runner = new BuildRunner(this.broker, { declaration, projection, build }, role, this.listener);
      this.runners.set(build, runner);
      runner.start();
    }
    runner.role = role;
  }

  private unreachable(cause: unknown): number {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    const due = this.broker.clock.now() + REVIEW_MS;
    this.listener.failed?.({
      projection: this.declaration.name,
      role: 'serving',
      partition: { context: this.broker.context, index: 0 },
      position: 0,
      parked: 0,
      failure: { position: undefined, attempts: 1, error, due },
    });
    return REVIEW_MS;
  }
}
