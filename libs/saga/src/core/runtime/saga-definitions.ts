import { ConfigurationError } from '@millrace/broker';
import { nodesOf, stepsOf } from '../definition.js';
import type { SagaDefinition } from '../definition.js';
import type { SagaInstance } from '../instance.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- sagas with any state live side by side
export type AnyDefinition = SagaDefinition<any>;

/** The sagas that a service runs, in all their versions. */
export class SagaDefinitions {
  private readonly versions = new Map<string, AnyDefinition[]>();

  /** @throws ConfigurationError when one of this name and version is here already, or two versions are the same */
  add(definition: AnyDefinition): void {
    const { name, version, hash } = definition;
    const others = this.versions.get(name) ?? [];
    if (others.some((other) => other.version === version)) {
      throw new ConfigurationError(
        `saga '${name}' is declared twice: give each saga its own name, and each version of it its own number`,
      );
    }
    if (others.some((other) => other.hash === hash)) {
      throw new ConfigurationError(
        `saga '${name}' has the same steps in two versions: a version is needed only when the steps change`,
      );
    }
    this.versions.set(
      name,
      [...others, definition].sort((a, b) => b.version - a.version),
    );
  }

  /**
   * Says what only shows when all of them are here.
   *
   * @throws ConfigurationError for a step that is a saga which this service does not run
   */
  check(): void {
    for (const definition of this.all) {
      for (const { name, do: plan } of stepsOf(definition)) {
        if (plan.act.kind !== 'child' || this.has(plan.act.saga)) continue;
        throw new ConfigurationError(
          `step '${name}' of saga '${definition.name}' is saga '${plan.act.saga}', which this service does not run: add its class to SagaModule.forFeature`,
        );
      }
    }
  }

  get names(): readonly string[] {
    return [...this.versions.keys()];
  }

  get all(): readonly AnyDefinition[] {
    return [...this.versions.values()].flat();
  }

  has(name: string): boolean {
    return this.versions.has(name);
  }

  /** The version that new instances begin with. */
  newest(name: string): AnyDefinition | undefined {
    return this.versions.get(name)?.[0];
  }

  /** The definition that an instance goes on with; undefined: this service does not know it. */
  of({ saga, hash }: Pick<SagaInstance, 'saga' | 'hash'>): AnyDefinition | undefined {
    return this.versions.get(saga)?.find((definition) => definition.hash === hash);
  }
}

/** Whether a saga runs functions in the service itself. */
export function hasCalls(definition: AnyDefinition): boolean {
  return nodesOf(definition.body).some(
    (node) =>
      node.kind === 'code' || (node.kind === 'step' && [node.do, node.undo].some((plan) => plan?.act.kind === 'call')),
  );
}
