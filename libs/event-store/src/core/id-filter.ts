const { imul } = Math;

/** With a million ids, one in fifty of all others is taken for one of them. They take 1 MiB. */
const BITS = 2 ** 23;
const HASHES = 4;

/**
 * Which ids have been added, in a fixed amount of memory: no id is forgotten, and some are taken for added that are not.
 *
 * @see Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970; two hashes do for all of them: Kirsch and
 * Mitzenmacher, "Less hashing, same performance", 2006
 */
export class IdFilter {
  private readonly words = new Uint32Array(BITS / 32);

  add(id: string): void {
    let hash = hashOf(id);
    const step = stepOf(hash);
    for (let i = 0; i < HASHES; i++, hash = (hash + step) | 0) {
      const bit = hash & (BITS - 1);
      this.words[bit >>> 5]! |= 1 << (bit & 31);
    }
  }

  /** False: it was never added. */
  mayHave(id: string): boolean {
    let hash = hashOf(id);
    const step = stepOf(hash);
    for (let i = 0; i < HASHES; i++, hash = (hash + step) | 0) {
      const bit = hash & (BITS - 1);
      if ((this.words[bit >>> 5]! & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }
}

/** FNV-1a, and the end of MurmurHash3, so that ids that differ in their last characters lie apart. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = imul(hash ^ id.charCodeAt(i), 0x01000193);
  return mixed(hash);
}

/** Odd, so that it comes by all bits. */
function stepOf(hash: number): number {
  return mixed(hash ^ 0x9e3779b9) | 1;
}

function mixed(hash: number): number {
  let mix = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mix = imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return mix ^ (mix >>> 16);
}
