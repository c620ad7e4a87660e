import type { ReplyAddress } from './partition.js';

/** Replies to one process. */
export interface ReplyStore {
  /**
   * Takes replies at this address for the next `ttlMs`; called again, for longer.
   *
   * @param readUpTo id of a reply: it and earlier ones are not needed any more
   * @returns whether it took none before: replies sent meanwhile are lost, and ids may begin anew
   */
  openReplies(address: ReplyAddress, ttlMs: number, readUpTo?: string): Promise<boolean>;

  /** Takes no more replies at this address, and forgets those that came. */
  closeReplies(address: ReplyAddress): Promise<void>;

  /**
   * Delivers a reply at once, outside of any commit. May deliver it twice after a lost answer.
   *
   * @returns false when nobody takes replies there (any more)
   */
  sendReply(address: ReplyAddress, message: string): Promise<boolean>;
}
