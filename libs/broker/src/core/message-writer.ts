import {
  blankEnvelope,
  contractOf,
  DEFAULT_LIMITS,
  encode,
  findContract,
  personalPlanOf,
  personalPlansOf,
  validateMessage,
} from '@millrace/messages';
import type {
  Envelope,
  EnvelopeInit,
  MessageClass,
  MessageKind,
  MessageLimits,
  PersonalPlan,
} from '@millrace/messages';
import { Halted } from '@millrace/transforms';
import type { Boundary } from './boundary.js';
import type { Clock } from './clock.js';
import { noKeysFor } from './personal-data/decryption.js';
import type { PersonalDataProtection } from './personal-data/personal-data-protection.js';
import type { Telemetry } from './telemetry.js';
import { UnitOfWork } from './unit-of-work.js';

/** A message ready to be written. */
export interface Encoded {
  readonly envelope: Envelope;
  readonly text: string;
}

/** A message that is sent, after all transforms: what it is, and where a router wants it. */
export interface OutboundMessage extends Encoded {
  readonly kind: MessageKind;
  /** The context to whose inbox a command goes; absent: the one its type names. */
  readonly route?: string;
}

/** What a service writes its messages with. */
export interface WriterSettings {
  readonly context: string;
  readonly clock: Clock;
  readonly limits: MessageLimits;
  /** Whether messages are checked by their decorators. */
  readonly validate: boolean;
  readonly telemetry: Telemetry | undefined;
  /** The transforms between the service and the wire. */
  readonly boundary: Boundary;
  /** Encrypts personal data. */
  readonly personalData: PersonalDataProtection | undefined;
}

/** Makes the messages of a service ready to be written: checked, in an envelope, encrypted, behind its outbound transforms. */
export class MessageWriter {
  private readonly source: string;

  constructor(private readonly settings: WriterSettings) {
    this.source = `/${settings.context}`;
  }

  /**
   * Validates a message, wraps it in an envelope and applies the outbound transforms that name its type or take all, and map.
   * Source, key, correlation and cause are filled in from the contract and from what is being handled, unless given. For what
   * the service writes to itself; events of its history are {@link encodeRecorded}, what is sent is {@link outgoing}. A
   * promise only where it holds personal data.
   *
   * @throws MessageError when it breaks its contract or the limits
   * @throws ConfigurationError when an outbound transform that names its type does more than map
   */
  encode(message: object, attributes: Partial<EnvelopeInit> = {}): Encoded | Promise<Encoded> {
    const sealed = this.seal(this.wrap(message, attributes));
    const keep = (envelope: Envelope): Encoded => this.written(this.settings.boundary.keep(envelope));
    return sealed instanceof Promise ? sealed.then(keep) : keep(sealed);
  }

  /**
   * As {@link encode}, for an event that history keeps.
   *
   * @throws ConfigurationError also when a claim check would take its data
   */
  encodeRecorded(event: object, attributes: Partial<EnvelopeInit> = {}): Encoded | Promise<Encoded> {
    const sealed = this.seal(this.wrap(event, attributes));
    const record = (envelope: Envelope): Encoded => this.written(this.settings.boundary.record(envelope));
    return sealed instanceof Promise ? sealed.then(record) : record(sealed);
  }

  /**
   * As {@link encode}, for what goes later, by all outbound transforms that leave it one message. What a claim check takes
   * when it is due ({@link depart}) may be as large as what comes back from a claim until then.
   *
   * @throws MessageError when it breaks its contract or the limits
   * @throws ConfigurationError when an outbound transform of its type filters, multiplies or routes it
   */
  async encodeScheduled(message: object, attributes: Partial<EnvelopeInit> = {}): Promise<Encoded> {
    return this.written(await this.settings.boundary.schedule(await this.seal(this.wrap(message, attributes))), true);
  }

  /**
   * The text of a scheduled message that is due, as it goes: large data are left in a claim, whose time begins now. A promise
   * only where there are claim checks.
   *
   * @throws MessageError when it is larger than a message may be
   * @throws TransformError when the claim store does not take it
   */
  depart(text: string): string | Promise<string> {
    if (!this.settings.boundary.hasClaims) return text;
    return this.settings.boundary
      .depart(JSON.parse(text) as Envelope)
      .then((departed) => encode(departed, this.settings.limits));
  }

  /**
   * As {@link encode}, with all outbound transforms: one message becomes any number. A promise only where one waits,
   * multiplies or routes, or it holds personal data.
   */
  outgoing(
    message: object,
    attributes: Partial<EnvelopeInit> = {},
  ): readonly OutboundMessage[] | Promise<readonly OutboundMessage[]> {
    return this.pass(this.wrap(message, attributes), contractOf(message).kind);
  }

  /**
   * The outbound transforms for a message that is wrapped already.
   *
   * @param later it goes when it is due: claim checks have to wait until then
   */
  pass(
    wrapped: Envelope,
    kind: MessageKind,
    later = false,
  ): readonly OutboundMessage[] | Promise<readonly OutboundMessage[]> {
    const sealed = this.seal(wrapped);
    return sealed instanceof Promise
      ? sealed.then((each) => this.passOn(each, kind, later))
      : this.passOn(sealed, kind, later);
  }

  /**
   * A message as it may leave the process, its personal data encrypted. A promise only when it has some.
   *
   * @throws ConfigurationError when there are no keys to do so
   */
  seal(message: Envelope): Envelope | Promise<Envelope> {
    const plans = personalPlans(message);
    if (plans.length === 0) return message;
    if (!this.settings.personalData) throw noKeysFor(message.type, this.settings.context);
    return this.settings.personalData.seal(message, plans);
  }

  private passOn(
    wrapped: Envelope,
    kind: MessageKind,
    later: boolean,
  ): readonly OutboundMessage[] | Promise<readonly OutboundMessage[]> {
    const begun = this.settings.boundary.send(wrapped, later);
    // Spelled out: spreading what `written` gives takes V8 longer than all else between here and the commit.
    if (!(begun instanceof Halted))
      return [{ envelope: begun, text: encode(begun, this.limitsOf(begun, later)), kind }];
    return this.settings.boundary.sendOn(begun, later).then((passages) =>
      passages.map(({ message, kind: other = kind, route }) => ({
        ...this.written(message, later),
        kind: other,
        ...(route === undefined ? {} : { route }),
      })),
    );
  }

  private written(complete: Envelope, later = false): Encoded {
    return { envelope: complete, text: encode(complete, this.limitsOf(complete, later)) };
  }

  private limitsOf(message: Envelope, later: boolean): MessageLimits {
    if (!later || !this.settings.boundary.claimsOf(message)) return this.settings.limits;
    return {
      ...this.settings.limits,
      maxBytes: this.settings.limits.maxRestoredBytes ?? DEFAULT_LIMITS.maxRestoredBytes,
    };
  }

  /**
   * A message in its envelope, before outbound transforms.
   *
   * @throws MessageError when it breaks its contract
   */
  wrap(message: object, attributes?: Partial<EnvelopeInit>): Envelope {
    const contract = contractOf(message);
    if (this.settings.validate) validateMessage(message);
    const cause = UnitOfWork.current()?.message;
    const wrapped = blankEnvelope(this.source, contract.type, this.settings.clock.now(), attributes?.id);
    const key = contract.key === undefined ? undefined : (message as Record<string, unknown>)[contract.key];
    if (key !== undefined) wrapped.partitionkey = String(key);
    if (cause) {
      wrapped.correlationid = cause.correlationid ?? cause.id;
      wrapped.causationid = cause.id;
      if (cause.actor !== undefined) wrapped.actor = cause.actor;
    }
    if (contract.version > 1) wrapped.schemaversion = contract.version;
    if (contract.kind === 'reply') wrapped.outcome = contract.failure ? 'failure' : 'success';
    if (this.settings.telemetry) Object.assign(wrapped, this.settings.telemetry.traceContext());
    if (attributes !== undefined) Object.assign(wrapped, attributes);
    wrapped.data = message;
    return wrapped as Envelope;
  }
}

/** Of an instance its class says where personal data are; of other data, the classes of the type. */
function personalPlans({ type, data }: Envelope): readonly PersonalPlan[] {
  const contract = typeof data === 'object' && data !== null ? data.constructor : undefined;
  const own = contract && findContract(contract as MessageClass);
  if (own?.type !== type) return personalPlansOf(type);
  const plan = personalPlanOf(contract);
  return plan ? [plan] : NONE;
}

const NONE: readonly PersonalPlan[] = [];
