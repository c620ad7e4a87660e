import { TokenBucket } from 'limiter';
import type { Rate } from './group-options.js';

/** How much may begin at once after a while of nothing, as time at the full rate, ms. */
const BURST_MS = 50;

/** Lets a process begin its share of what a group may begin per time. */
export class RateGate {
  private readonly bucket: TokenBucket;

  constructor(private readonly rate: Rate) {
    this.bucket = new TokenBucket({ bucketSize: 1, tokensPerInterval: rate.limit, interval: rate.perMs });
  }

  /** @param share of the group's rate, above 0 and at most 1; no share leaves it as it was, for there is nothing to begin */
  setShare(share: number): void {
    if (share <= 0) return;
    const tokens = this.rate.limit * share;
    this.bucket.tokensPerInterval = tokens;
    this.bucket.bucketSize = Math.max(1, (tokens * BURST_MS) / this.rate.perMs);
  }

  /** 0: one may begin now, and counts; else the wait until then, ms. */
  pass(): number {
    return this.bucket.tryRemoveTokens(1) ? 0 : Math.max(1, this.bucket.getWaitTime(1));
  }
}
