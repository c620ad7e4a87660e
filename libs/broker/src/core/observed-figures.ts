import type { BrokerFigures } from './broker-figures.js';
import type { ObservedFigures } from './telemetry.js';

/** What of the figures of a service changes with its messages. */
export function observedFigures({ own, others }: BrokerFigures): ObservedFigures {
  const groups = [...own, ...others].flatMap(({ partition, followers }) =>
    followers.flatMap(({ follower, lag, pending }) =>
      follower.kind === 'group' ? [{ group: follower.group, partition, log: follower.log, lag, pending }] : [],
    ),
  );
  const deadLetters = [...own, ...others].map(({ partition, deadLetters: count }) => ({ partition, count }));
  return { groups, deadLetters };
}
