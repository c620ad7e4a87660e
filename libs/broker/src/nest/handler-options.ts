import type { Transform } from '@millrace/transforms';
import type { BatchOptions } from '../core/batch.js';
import { GROUP_RULES } from '../core/group-options.js';
import type { GroupOptions } from '../core/group-options.js';
import { fields } from '../core/options/check-options.js';
import type { Rules } from '../core/options/check-options.js';
import { anything, text, transforms, yesOrNo } from '../core/options/rules.js';

/** Options of the group beside those of the handler: {@link GroupOptions}. */
export interface HandlesOptions extends GroupOptions {
  /** Applied to the messages of this handler, in this order, behind the inbound transforms of the service and the group. */
  readonly inbound?: readonly Transform[];
  /** Takes only what an inbound router sends this way; a handler of the same message without a route takes the rest. */
  readonly route?: string;
  /** The connection, `BrokerModule.forRoot({ name })`, whose messages it gets. Default: the one without a name. */
  readonly broker?: string;
}

/** Options of the handler of a command that comes by a router or a routing slip of its sender. */
export interface RoutedOptions extends HandlesOptions {
  /** Its type names another context; whoever sends it chooses this one by the content. Default false. */
  readonly routed: true;
}

/** Options of the group beside those of the handler: {@link GroupOptions}. */
export interface OnOptions extends HandlesOptions {
  /** A group of its own, `<context>.<group>`: it gets every event once, whatever other groups do. Default: the context's. */
  readonly group?: string;
  /**
   * Every process of the service gets every event from its start on, e.g. to empty a cache. Nothing is kept for it: what
   * happens while it is down it does not get. Default false: once per group.
   */
  readonly everyInstance?: boolean;
  /**
   * The context that publishes the event. Default: the first word of its type, or of the one that the handler's own transforms
   * make it of.
   */
  readonly from?: string;
}

/** Options of a handler that takes messages many at a time. */
export interface OnBatchOptions extends OnOptions {
  /** Messages of one batch at most; with `waitMs` a message waits so long for others. */
  readonly batch: number | BatchOptions;
}

const HANDLER_RULES: Rules<HandlesOptions> = { ...GROUP_RULES, broker: text, inbound: transforms, route: text };

export const HANDLES_RULES: Rules<RoutedOptions> = { ...HANDLER_RULES, routed: yesOrNo };

/** The sizes and times are checked where batches are made. */
const BATCH = fields<BatchOptions>({ size: anything, waitMs: anything });

export const ON_RULES: Rules<OnBatchOptions> = {
  ...HANDLER_RULES,
  group: text,
  everyInstance: yesOrNo,
  from: text,
  batch: (value, name) => (typeof value === 'number' ? undefined : BATCH(value, name)),
};
