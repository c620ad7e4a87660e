/**
 * The port to where claim checks leave what is too large for a stream. Adapters: memory, files, Redis; write one for
 * whatever keeps large objects.
 */
export interface ClaimStore {
  /** Keeps a text for at least `ttlMs`. The same id again replaces it and begins its time anew. */
  put(id: string, text: string, ttlMs: number): Promise<void>;
  /** The text, or undefined when there is none (any more). */
  get(id: string): Promise<string | undefined>;
}
