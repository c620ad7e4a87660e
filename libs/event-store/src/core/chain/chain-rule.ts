import { checkOptions, rules } from '@millrace/broker';
import type { Rule } from '@millrace/broker';

/**
 * How the events of a stream are chained. `true`: each carries a SHA-256 over the one before it and itself; a stream that has
 * events already is chained from the next one on. `'continue'`: only where the last event of the stream is chained, so that no
 * chain is begun while other processes run that would not go on with it.
 */
export type ChainMode = true | 'continue';

/** Every stream of a context, or those of some categories; a stream without category goes by its own name. */
export type ChainRule = ChainMode | Readonly<Record<string, ChainMode>>;

const mode = rules.oneOf(true, 'continue');
const byCategory = rules.each(mode);

export const chainRule: Rule = (value, name) => {
  if (typeof value === 'object' && value !== null) return byCategory(value, name);
  const problem = mode(value, name);
  return problem === undefined ? undefined : `${problem}, or one of them for each category: { account: true }`;
};

/** @throws ConfigurationError for what is no mode */
export function checkMode(where: string, chain: ChainMode | undefined): ChainMode | undefined {
  checkOptions(where, { chain }, { chain: mode });
  return chain;
}

/** Which streams of a context are chained: what its event store and its aggregates have declared together. */
export class ChainRules {
  private every: ChainMode | undefined;
  private readonly named = new Map<string, ChainMode>();

  /** @throws ConfigurationError for what is no rule */
  add(rule: ChainRule): void {
    checkOptions('the event store', { chain: rule }, { chain: chainRule });
    if (typeof rule !== 'object') this.every = stronger(this.every, rule);
    else for (const [name, each] of Object.entries(rule)) this.named.set(name, stronger(this.named.get(name), each));
  }

  /** @param category undefined: of a stream without one */
  modeOf(stream: string, category: string | undefined): ChainMode | undefined {
    const own = this.named.get(category ?? stream);
    return own === true ? own : (this.every ?? own);
  }
}

function stronger(one: ChainMode | undefined, other: ChainMode): ChainMode {
  return one === true ? one : other;
}
