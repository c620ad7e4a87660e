import 'reflect-metadata';
import { checkContext, checkName, checkOptions, ConfigurationError, rules } from '@millrace/broker';
import type { Rules } from '@millrace/broker';
import { contractOf, personalPlanOf } from '@millrace/messages';
import type { MessageClass, PersonalPlan } from '@millrace/messages';
import { buildName } from './build-record.js';
import type { ProjectionVersion } from './build-record.js';
import { isExternal } from './external-projection.js';
import type { HandleOf } from './external-projection.js';
import { planOfRows } from './personal-rows.js';
import type { ProjectionContext } from './projection-context.js';
import type { EventClass } from './stored-event.js';
import type { ViewIndexes } from './view-index.js';
import type { View } from './view.js';

export interface ProjectionOptions {
  /**
   * Counted up when the rows, or what indexes list, get another meaning: a new version is built from the first event beside
   * the old one, which serves until the new one has caught up. Default 1.
   */
  readonly version?: number;
  /**
   * When events reach the view. `async`: moments after their commit. `inline`: in their very commit, whoever appends them in
   * a service that runs the projection; an event that it cannot take is then not appended, and appends wait, up to 5 s, while
   * the view has not caught up. A new version is built asynchronously and is inline from when it serves. Default `async`.
   */
  readonly mode?: 'async' | 'inline';
  /** What rows are listed by, each under the name that `view.list({ index })` gives. Default: nothing. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- of whatever rows the projection has
  readonly indexes?: ViewIndexes<any>;
  /**
   * What an event does that fails. `stop`: the partition stands still before it, and it is tried again until it succeeds.
   * `park`: after `attempts` it is noted with the reason, and the events behind it are projected without it, so the view
   * may be wrong where they build on it; `Projections.retryParked` takes it up again. A store that cannot be reached parks
   * nothing. Default `stop`.
   */
  readonly onFailure?: 'stop' | 'park';
  /** Attempts before an event is parked. Default 3. */
  readonly attempts?: number;
  /**
   * A class whose `@PersonalData()` says what of a row is encrypted, with the key of its `@DataSubject()`; `'none'` when rows
   * hold nothing personal. Needed when an event has personal data. Indexes do not see what is encrypted. Rows in another
   * database are never encrypted: `'none'` there means that what is personal in them is yours to delete.
   */
  readonly personalData?: 'none' | (abstract new (...args: never[]) => object);
}

/** A class that folds events into the rows of a view. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- projections are made by the injector, whatever they need
export type ProjectionClass = abstract new (...args: any[]) => object;

/** A projection as declared. */
export interface ProjectionDeclaration extends ProjectionVersion, DeclaredOptions {
  /** `<projection>.v<version>`: its first build. */
  readonly name: string;
  readonly methods: ReadonlyMap<string, ProjectsMethod>;
}

/** The method that takes one event type. */
export interface ProjectsMethod extends EventClass {
  readonly method: string | symbol;
}

interface DeclaredOptions {
  readonly mode: 'async' | 'inline';
  readonly indexes: ViewIndexes<never> | undefined;
  readonly onFailure: 'stop' | 'park';
  readonly attempts: number;
  readonly personalData: 'none' | PersonalPlan | undefined;
}

const DECLARED = Symbol.for('millrace:projection');
const METHODS = Symbol.for('millrace:projects');
type Declared = ProjectionVersion & DeclaredOptions;
type Methods = Map<string, ProjectsMethod>;

/**
 * Declares a projection of this context's own events. Each event changes the view exactly once, and the events of one
 * partition in their order; the view and the position reached are one commit.
 *
 * @param name lower-case letters, digits and hyphens
 */
export function Projection(name: string, options: ProjectionOptions = {}): ClassDecorator {
  checkContext(name, 'projection');
  checkOptions(`projection '${name}'`, options, RULES);
  for (const index of Object.keys(options.indexes ?? {})) checkName(index, 'index');
  const { version = 1, mode = 'async', indexes, onFailure = 'stop', attempts = 3 } = options;
  if (mode === 'inline' && onFailure === 'park') {
    throw new ConfigurationError(
      `projection '${name}' is inline, so an event that fails is not appended: nothing is parked`,
    );
  }
  const personalData = options.personalData && (planOfRows(name, options.personalData) ?? 'none');
  const declared: Declared = { projection: name, version, mode, indexes, onFailure, attempts, personalData };
  return (target) => {
    if (isExternal(target)) checkExternal(name, options);
    Reflect.defineMetadata(DECLARED, declared, target);
  };
}

/** @throws ConfigurationError for an option that only rows beside the events can have */
function checkExternal(name: string, { mode, indexes, personalData }: ProjectionOptions): void {
  const refuse = (problem: string): never => {
    throw new ConfigurationError(`projection '${name}' has its rows in another database, ${problem}`);
  };
  if (mode === 'inline')
    refuse("so they cannot be part of the commit that appends the events: leave out mode: 'inline'");
  if (indexes) refuse('which has indexes of its own: leave out indexes, and make them in create()');
  if (personalData && personalData !== 'none') {
    refuse(
      "where nothing is encrypted: write personalData: 'none', and keep personal data out or delete them yourself",
    );
  }
}

const RULES: Rules<ProjectionOptions> = {
  version: rules.count,
  mode: rules.oneOf('async', 'inline'),
  indexes: rules.each(rules.func),
  onFailure: rules.oneOf('stop', 'park'),
  attempts: rules.count,
  personalData: rules.anything,
};

/**
 * Marks the method that takes one event type: `(event, view, context)`, in an `ExternalProjection` with the handle of a
 * transaction instead of the view. It must depend on nothing but these, so that
 * the view can be built again from the events.
 *
 * @throws ConfigurationError when the class already takes this event, or the contract is no event
 */
export function Projects<E extends object>(event: MessageClass<E>) {
  return <
    Type extends object,
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a view of whatever rows the projection has
    M extends (event: E, view: HandleOf<Type, View<any>>, context: ProjectionContext) => void | Promise<void>,
  >(
    target: Type,
    method: string | symbol,
    _descriptor: TypedPropertyDescriptor<M>,
  ): void => {
    const { kind, type, version } = contractOf(event);
    const where = `${target.constructor.name}.${String(method)}`;
    if (kind !== 'event')
      throw new ConfigurationError(`${where} projects ${type}, a ${kind}: only events are projected`);
    let own = Reflect.getOwnMetadata(METHODS, target) as Methods | undefined;
    if (!own) Reflect.defineMetadata(METHODS, (own = new Map() as Methods), target);
    const other = own.get(type);
    if (other) {
      throw new ConfigurationError(`${where} and ${String(other.method)} both project ${type}: keep one of them`);
    }
    own.set(type, { contract: event, version, method });
  };
}

/** @throws ConfigurationError when the class is no projection, or takes no event */
export function projectionOf(type: ProjectionClass): ProjectionDeclaration {
  const declared = Reflect.getOwnMetadata(DECLARED, type) as Declared | undefined;
  if (!declared) {
    throw new ConfigurationError(`${type.name} is not a projection: decorate it with @Projection('name')`);
  }
  const methods = methodsOf(type.prototype as object);
  if (methods.size === 0) {
    throw new ConfigurationError(`projection ${type.name} takes no event: mark a method with @Projects(SomeEvent)`);
  }
  const personal = [...methods.values()].find(({ contract }) => personalPlanOf(contract));
  if (personal && declared.personalData === undefined) {
    throw new ConfigurationError(
      `projection ${type.name} takes ${contractOf(personal.contract).type}, which has personal data: say which of them its ` +
        `rows hold, personalData: SomeRow, a class with @PersonalData(), or personalData: 'none'`,
    );
  }
  return { ...declared, name: buildName(declared), methods };
}

function methodsOf(prototype: object | null): Methods {
  if (!prototype) return new Map();
  const own = Reflect.getOwnMetadata(METHODS, prototype) as Methods | undefined;
  return new Map([...methodsOf(Object.getPrototypeOf(prototype) as object | null), ...(own ?? [])]);
}
