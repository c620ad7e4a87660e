import Sequencer from '@jest/test-sequencer';

/** Specs that take longest, most of them because they start processes: of these the last run knows nothing in CI. */
const LONG = [
  /-crashes\.spec/,
  /^test\/(bench|conformance|demo|packaging|saga)\//,
  /(replicas|processes|kill-points|topology|server-states|competing|snippets|random-sagas|play-on)\.spec/,
];

/** The long specs first, so that none of them is at work alone at the end; the rest as Jest has it, the largest files first. */
export default class LongFirst extends Sequencer {
  sort(tests) {
    const isLong = ({ path, context }) => LONG.some((long) => long.test(path.slice(context.config.rootDir.length + 1)));
    const sorted = super.sort(tests);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}
