/**
 * Where archived events are kept: files, or an object store. A key is a path of names with `/` between them; what is once
 * under a key never changes. Methods reject when the place cannot be reached: then nothing is removed from a feed.
 */
export interface ArchiveStore {
  /** Resolves when the bytes are safe. The same key comes with the same bytes only. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Undefined when nothing has this key. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** The keys that begin with a prefix, which ends with `/`; in any order. */
  list(prefix: string): Promise<readonly string[]>;
}
