/** One thing in a saga's history, as the orchestrator tells it. */
export interface SagaHappening {
  readonly step: string;
  readonly direction: 'do' | 'undo';
  /** `sent`, `done`, `refused`, `timed-out`, `given-up`; others are not told here. */
  readonly what: string;
  /** The first time, ms since 1970. */
  readonly at: number;
  readonly times: number;
}

/** The steps of one order with their times, e.g. `reserve stock 4 ms  authorize payment REFUSED  undo reserve stock 3 ms`. */
export function sagaLine(history: readonly SagaHappening[]): string {
  const words: string[] = [];
  const sent = new Map<string, number>();
  for (const { step, direction, what, at, times } of history) {
    const name = direction === 'undo' ? `undo ${step}` : step;
    // It follows a last attempt without answer, which is told already.
    if (what === 'given-up') continue;
    if (what === 'sent') {
      sent.set(name, at);
      continue;
    }
    const took = duration(at - (sent.get(name) ?? at));
    if (what === 'done') words.push(`${name} ${took}`);
    if (what === 'refused') words.push(`${name} REFUSED`);
    if (what === 'timed-out') words.push(`${name} no answer for ${took}${times > 1 ? `, ${times} times` : ''}`);
  }
  return words.join('  ');
}

function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
