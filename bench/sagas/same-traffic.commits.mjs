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

  /**
   * @param script one of {@link commitScript}
   * @param shared keys that go once in a call for all commits that give the same list; the first is the lease
   */
  add(script, shared, keys, args) {
    let commits = this.#calls.get(script);
    if (!commits) this.#calls.set(script, (commits = []));
    commits.push({ shared, keys, args });
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
    const sets = [];
    let members = '';
    for (const { shared } of commits) {
      let set = sets.indexOf(shared);
      if (set < 0) set = sets.push(shared) - 1;
      members += String.fromCharCode(set + 1);
    }
    const keys = sets.flat();
    const args = [sets.length, this.group, members];
    for (const [lease] of sets) args.push(this.epochs.get(lease));
    for (const commit of commits) {
      for (const key of commit.keys) keys.push(key);
      for (const arg of commit.args) args.push(arg);
    }
    return run(this.redis, script, keys, args);
  }
}

/** Lists of keys that are shared, each made once. */
export class SharedKeys {
  #known = new Map();

  /** @param others of the partition that the script wants, behind the lease and the stream of the input */
  of(lease, stream, others) {
    let shared = this.#known.get(stream);
    if (!shared) this.#known.set(stream, (shared = [lease, stream, ...others]));
    return shared;
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
