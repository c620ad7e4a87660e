import { contextOf, contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { ConfigurationError } from '../errors.js';
import type { HandlerDeclaration } from '../handler.js';

/** What `BrokerModule.forFeature({ publishes })` speaks for. */
export const IN_CODE = 'code of the service';

/** A message that something of the service publishes, sends or answers with. */
export interface Sending {
  /** What sends it: `aggregate product`, `saga place-order`, `OrderDesk.place`. */
  readonly by: string;
  readonly contract: MessageClass;
  /** Whether the event is part of a history: its sender only appends it to streams, or may append and read it. */
  readonly history?: 'always' | 'perhaps';
}

/** An event that something reads past the groups, from the own feed. */
export interface Reading {
  /** What reads it: `projection order-list.v1`. */
  readonly by: string;
  readonly contract: MessageClass;
}

/** A picture of something that a service runs. */
export interface Drawing {
  /** What it shows: `saga place-order`. */
  readonly of: string;
  /** A Mermaid diagram. */
  readonly mermaid: string;
}

/**
 * What is known of a service beside its handlers: whoever publishes says so here, as the code of a service does with
 * `BrokerModule.forFeature({ publishes })`. Nothing at run time depends on it.
 */
export class Declarations {
  readonly sendings: Sending[] = [];
  readonly readings: Reading[] = [];
  private readonly pictures = new Map<string, () => string>();

  /**
   * Events of a history.
   *
   * @param history `perhaps` where they may be published past it, too
   * @throws ConfigurationError for a class that is no message
   */
  records(by: string, contracts: readonly MessageClass[], history: 'always' | 'perhaps' = 'always'): void {
    this.declare(by, contracts, { history });
  }

  /** @throws ConfigurationError for a class that is no message */
  sends(by: string, contracts: readonly MessageClass[]): void {
    this.declare(by, contracts, {});
  }

  reads(by: string, contracts: readonly MessageClass[]): void {
    for (const contract of contracts) this.readings.push({ by, contract });
  }

  /** @param draw makes a Mermaid diagram, when somebody looks */
  draws(of: string, draw: () => string): void {
    this.pictures.set(of, draw);
  }

  get drawings(): readonly Drawing[] {
    return Array.from(this.pictures, ([of, draw]) => ({ of, mermaid: draw() }));
  }

  /** A handler may answer with the replies that its command lists. */
  answers({ name, contract }: Pick<HandlerDeclaration, 'name' | 'contract'>): void {
    if (contract) this.sends(name, contractOf(contract).replies ?? []);
  }

  private declare(by: string, contracts: readonly MessageClass[], more: Pick<Sending, 'history'>): void {
    for (const contract of contracts) {
      if (typeof contract !== 'function') throw notAClass(by, contract);
      contractOf(contract);
      if (!this.sendings.some((known) => known.by === by && known.contract === contract)) {
        this.sendings.push({ by, contract, ...more });
      }
    }
  }
}

/**
 * @param gives the types that an event has when it is written
 * @throws ConfigurationError when a service says that it publishes an event of another context
 */
export function checkOwnEvents(
  context: string,
  { by, contract }: Sending,
  gives: (type: string) => readonly string[],
): void {
  const { kind, type } = contractOf(contract);
  const foreign = kind === 'event' ? gives(type).find((written) => contextOf(written) !== context) : undefined;
  if (foreign === undefined) return;
  throw new ConfigurationError(
    `${by} declares that it publishes ${foreign}, an event of context '${contextOf(foreign)}', in service '${context}': ` +
      `a context publishes its own events only`,
  );
}

function notAClass(by: string, value: unknown): ConfigurationError {
  return new ConfigurationError(`${by} declares that it publishes ${String(value)}: list classes of messages`);
}
