import { partitionOf, SAGAS } from './same-traffic.keys.mjs';

/** Instances that are remembered, so that nearly none has to be read. */
const REMEMBERED = 10_000;

export const stateName = (id) => `saga.${SAGAS}.${id}`;

/** What has been written lately, from memory; the rest from Redis, in one pipeline. A commit guards what was read. */
export class Instances {
  #known = new Map();

  constructor(redis, partitions) {
    this.redis = redis;
    this.partitions = partitions;
  }

  keep(stored, revision) {
    const { instance } = stored;
    if (instance.endedAt !== undefined) return;
    this.#known.set(instance.id, { stored, revision });
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value);
  }

  /** Each once: until it is written again it is not known any more. A promise only when some have to be read. */
  of(ids) {
    const found = ids.map((id) => this.#known.get(id));
    for (const id of ids) this.#known.delete(id);
    return found.includes(undefined) ? this.#read(ids, found) : found;
  }

  async #read(ids, found) {
    const pipeline = this.redis.pipeline();
    const missing = ids.filter((_, i) => !found[i]);
    for (const id of missing) {
      pipeline.hmget(this.partitions[partitionOf(id)].state(stateName(id)), 'revision', 'value');
    }
    const stored = await pipeline.exec();
    const read = new Map(missing.map((id, i) => [id, stored[i][1]]));
    return ids.map((id, i) => {
      if (found[i]) return found[i];
      const [revision, value] = read.get(id);
      if (value === null) throw new Error(`saga ${id} is not there`);
      return { stored: JSON.parse(value), revision: Number(revision) };
    });
  }
}
