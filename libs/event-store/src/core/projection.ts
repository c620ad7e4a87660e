import 'reflect-metadata';
import { checkContext, checkOptions, ConfigurationError, rules } from '@millrace/broker';
import type { MessageContext, Rules } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import type { EventClass } from './stored-event.js';
import type { View } from './view.js';

export interface ProjectionOptions {
  /** Counted up when the rows get another meaning: a new version starts from the first event. Default 1. */
  readonly version?: number;
}

const RULES: Rules<ProjectionOptions> = { version: rules.count };

/** A class that folds events into the rows of a view. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- projections are made by the injector, whatever they need
export type ProjectionClass = abstract new (...args: any[]) => object;

/** A projection as declared. */
export interface ProjectionDeclaration {
  /** `<name>.v<version>`, also the name of its view. */
  readonly name: string;
  /** The state that holds the position it has reached. */
  readonly checkpoint: string;
  readonly methods: ReadonlyMap<string, ProjectsMethod>;
}

/** The method that takes one event type. */
export interface ProjectsMethod extends EventClass {
  readonly method: string | symbol;
}

const DECLARED = Symbol.for('millrace:projection');
const METHODS = Symbol.for('millrace:projects');
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
  const { version = 1 } = options;
  return (target) => Reflect.defineMetadata(DECLARED, `${name}.v${version}`, target);
}

/**
 * Marks the method that takes one event type: `(event, view, context)`. It must depend on nothing but these, so that
 * the view can be built again from the events.
 *
 * @throws ConfigurationError when the class already takes this event, or the contract is no event
 */
export function Projects<E extends object>(event: MessageClass<E>) {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a view of whatever rows the projection has
  return <M extends (event: E, view: View<any>, context: MessageContext) => void | Promise<void>>(
    target: object,
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
  const name = Reflect.getOwnMetadata(DECLARED, type) as string | undefined;
  if (name === undefined) {
    throw new ConfigurationError(`${type.name} is not a projection: decorate it with @Projection('name')`);
  }
  const methods = methodsOf(type.prototype as object);
  if (methods.size === 0) {
    throw new ConfigurationError(`projection ${type.name} takes no event: mark a method with @Projects(SomeEvent)`);
  }
  return { name, checkpoint: `checkpoint.${name}`, methods };
}

function methodsOf(prototype: object | null): Methods {
  if (!prototype) return new Map();
  const own = Reflect.getOwnMetadata(METHODS, prototype) as Methods | undefined;
  return new Map([...methodsOf(Object.getPrototypeOf(prototype) as object | null), ...(own ?? [])]);
}
