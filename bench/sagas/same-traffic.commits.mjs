/** Of one script call. */
const IN_A_CALL = 32;

/** Script calls for the commits of one batch: those of one script together. */
export class Commits {
  #calls = new Map();

  constructor(redis, group, epochs) {
    this.redis = redis;
    this.group = group;
    this.epochs = epochs;
  }

  /** @param script one of {@link commitScript} */
  add(script, partition, keys, args) {
    let commits = this.#calls.get(script);
    if (!commits) this.#calls.set(script, (commits = []));
    commits.push({ lease: partition.lease(this.group), keys, args });
  }

  /** Throws when one has been refused. */
  async send() {
    const calls = [];
    for (const [script, commits] of this.#calls) {
      for (let i = 0; i < commits.length; i += IN_A_CALL)
        calls.push(this.#call(script, commits.slice(i, i + IN_A_CALL)));
    }
    const refused = (await Promise.all(calls)).flat();
    if (refused.length > 0) throw new Error(`${this.group}: refused by ${refused.join(', ')}`);
  }

  #call(script, commits) {
    const leases = [...new Set(commits.map(({ lease }) => lease))];
    const keys = [...leases];
    const args = [leases.length, this.group];
    for (const lease of leases) args.push(this.epochs.get(lease));
    for (const commit of commits) {
      for (const key of commit.keys) keys.push(key);
      for (const arg of commit.args) args.push(arg);
    }
    return run(this.redis, script, keys, args);
  }
}

/** By digest; the first time with the text, which teaches it to the server. */
export async function run(redis, script, keys, args) {
  try {
    return await redis.call('EVALSHA', [script.sha, keys.length, ...keys, ...args]);
  } catch (error) {
    if (!error.message.startsWith('NOSCRIPT')) throw error;
    return redis.call('EVAL', [script.text, keys.length, ...keys, ...args]);
  }
}
