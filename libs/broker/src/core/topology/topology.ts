import { contextOf, contractOf, findContract } from '@millrace/messages';
import type { MessageClass, MessageKind } from '@millrace/messages';
import type { TransformDescription } from '@millrace/transforms';
import type { Broker } from '../broker.js';
import type { HandlerDeclaration, HandlerGroup, Subscriptions } from '../handler.js';
import type { Declarations, Drawing, Sending } from './declarations.js';
import { arrivalsOf, wayOf } from './passage.js';
import type { Arrival } from './passage.js';

/** A log by its context: the feed of its events, or the inbox with what is sent to it. */
export interface LogName {
  readonly context: string;
  readonly log: 'feed' | 'in';
}

/** A message as it stands in a log. */
export interface WireMessage {
  readonly type: string;
  /** Its class, where this service has one. */
  readonly contract?: MessageClass;
}

/** Something of the service sends a message. */
export interface Sends {
  readonly by: string;
  readonly kind: MessageKind;
  /** The type as the code has it. */
  readonly type: string;
  /** Names of the outbound transforms on its way. */
  readonly passes: readonly string[];
  readonly written: readonly WireMessage[];
  /** Undefined for a reply, which goes to whoever asked. */
  readonly to: LogName | undefined;
}

/** Something of the service receives a message. */
export interface Receives {
  readonly from: LogName;
  readonly message: WireMessage;
  /** Names of the inbound transforms on its way. */
  readonly passes: readonly string[];
  /** The type as the code has it. */
  readonly type: string;
  readonly by: string;
  /** What a router has to choose for it to come here. */
  readonly route?: string;
  /** The consumer group; undefined: it is read past the groups, by a projection or in every process. */
  readonly group: string | undefined;
  /** What a command says it can be answered with. */
  readonly replies: readonly MessageClass[];
  /** It comes over Nest's transport, as a pattern with a packet: there is no contract. */
  readonly pattern?: 'event' | 'request';
}

/** A service as data: who publishes, what passes which transforms, who consumes, in which group. */
export interface Topology {
  /** Name of the connection. */
  readonly connection: string;
  readonly context: string;
  readonly partitions: number;
  /** First part of the names of streams, where the options name one. */
  readonly namespace?: string;
  readonly sends: readonly Sends[];
  readonly receives: readonly Receives[];
  /** Pictures of what it runs, such as its sagas. */
  readonly drawings: readonly Drawing[];
}

/** What a topology is made of. */
export interface TopologySources {
  readonly name: string;
  readonly broker: Broker;
  readonly subscriptions: Subscriptions;
  readonly declarations: Declarations;
}

/** The topology of one connection of a service, from what its decorators and definitions say. */
export function topologyOf({ name, broker, subscriptions, declarations }: TopologySources): Topology {
  const { context, partitions } = broker;
  const classes = classesIn(broker, subscriptions, declarations);
  const wire = (type: string): WireMessage => {
    const contract = classes.get(type);
    return contract ? { type, contract } : { type };
  };
  const scheduled = Array.from(subscriptions.schedules.byId.values(), ({ name: by, message }): Sending => {
    return { by, contract: message.constructor as MessageClass };
  });
  const sends = [...declarations.sendings, ...scheduled].map(({ by, contract }): Sends => {
    const { kind, type } = contractOf(contract);
    const { passes, gives } = wayOf(broker.transforms.outbound, type);
    return { by, kind, type, passes, written: gives.map(wire), to: addressee(context, kind, gives[0] ?? type) };
  });
  const groups = [...subscriptions.groups.values()].flatMap((group) =>
    group.declared.flatMap((handler) => received(broker, handler, group, wire)),
  );
  const past = [
    ...subscriptions.everyInstance.flatMap((handler) => received(broker, handler, undefined, wire)),
    ...declarations.readings.map(({ by, contract }): Receives => {
      const { type } = contractOf(contract);
      const from: LogName = { context, log: 'feed' };
      const { passes } = wayOf(broker.transforms.stored, type);
      return { from, message: { type, contract }, passes, type, by, group: undefined, replies: [] };
    }),
  ];
  return {
    connection: name,
    context,
    partitions,
    sends,
    receives: [...groups, ...past],
    drawings: declarations.drawings,
  };
}

function addressee(context: string, kind: MessageKind, type: string): LogName | undefined {
  if (kind === 'reply') return undefined;
  return kind === 'event' ? { context, log: 'feed' } : { context: contextOf(type), log: 'in' };
}

function received(
  broker: Broker,
  handler: HandlerDeclaration,
  group: HandlerGroup | undefined,
  wire: (type: string) => WireMessage,
): Receives[] {
  const { type, context, contract, name } = handler;
  const reads = (feed: string) => group?.sources.some((source) => source.context === feed && source.log === 'feed');
  const feedOf = (arrival: Arrival) => (reads(contextOf(arrival.type)) ? contextOf(arrival.type) : context);
  const replies = (contract && findContract(contract)?.replies) ?? [];
  const { stored, inbound } = broker.transforms;
  const transforms = [...stored, ...inbound, ...(group?.inbound ?? []), ...(handler.inbound ?? [])];
  return arrivalsOf(transforms, type).map((arrival) => {
    const from: LogName =
      handler.log === 'in' ? { context: broker.context, log: 'in' } : { context: feedOf(arrival), log: 'feed' };
    const { passes } = arrival;
    const routed = handler.route === undefined ? {} : { route: handler.route };
    return { from, message: wire(arrival.type), passes, type, by: name, ...routed, group: group?.name, replies };
  });
}

/** The class of each type that the service has one for. */
function classesIn(
  broker: Broker,
  subscriptions: Subscriptions,
  { sendings, readings }: Declarations,
): ReadonlyMap<string, MessageClass> {
  const { stored, inbound, outbound } = broker.transforms;
  const groups = [...subscriptions.groups.values()];
  const handlers = groups.flatMap((group) => group.declared);
  const own = [...groups, ...handlers].flatMap(({ inbound: transforms = [] }) => transforms);
  const classes = [
    ...[...stored, ...inbound, ...own, ...outbound].flatMap(({ contracts = [] }: TransformDescription) => contracts),
    ...[...sendings, ...readings].map(({ contract }) => contract),
    ...Array.from(subscriptions.schedules.byId.values(), ({ message }) => message.constructor as MessageClass),
    ...[...handlers, ...subscriptions.everyInstance].flatMap(({ contract }) => contract ?? []),
  ];
  return new Map(classes.map((contract) => [contractOf(contract).type, contract]));
}
