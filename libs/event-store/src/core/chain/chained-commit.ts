import type { AppendWrite, Commit, Guard, Write } from '@millrace/broker';
import { MessageError } from '@millrace/messages';
import type { ChainMode } from './chain-rule.js';
import { linkOf, startOf, withChain } from './chain-link.js';
import type { StreamHead } from './stream-head.js';

/** A stream of a commit that is chained, and what its events are chained on. */
export interface ChainedStream {
  readonly mode: ChainMode;
  readonly head: StreamHead;
}

/** The commit with the chain values of its events, and a guard for each stream whose head it has not guarded itself. */
export interface ChainedCommit {
  readonly commit: Commit;
  /** The streams that it has not guarded itself. */
  readonly guarded: readonly string[];
}

/** @throws MessageError when an event exceeds the limit of bytes with its chain value */
export function chainCommit(
  { partition, guards, writes }: Commit,
  streams: ReadonlyMap<string, ChainedStream>,
  maxBytes: number,
): ChainedCommit {
  const guarded = [...streams].filter(([stream, { head }]) => !guards.some((guard) => holds(guard, stream, head)));
  const own = guarded.map(([stream, { head }]): Guard => ({ kind: 'version', stream, expected: head.version }));
  const lasts = new Map<string, string>();
  const chained = (write: Write): Write => {
    const stream = write.kind === 'append' ? write.stream : undefined;
    const begun = stream === undefined ? undefined : streams.get(stream);
    const last = begun && (lasts.get(stream!) ?? previousIn(stream!, begun));
    return last === undefined ? write : chainAppend(write as AppendWrite, last, maxBytes, lasts);
  };
  return {
    // Behind those of the commit: what its own guards find is what its author gets to know.
    commit: { partition, guards: [...guards, ...own], writes: writes.map(chained) },
    guarded: guarded.map(([stream]) => stream),
  };
}

/** Undefined: the events stay without. */
function previousIn(stream: string, { mode, head: { version, chain } }: ChainedStream): string | undefined {
  return chain ?? (mode === true ? startOf(stream, version + 1) : undefined);
}

function chainAppend(write: AppendWrite, previous: string, maxBytes: number, lasts: Map<string, string>): AppendWrite {
  let last = previous;
  const events = write.events.map((text) => {
    last = linkOf(last, text);
    const chained = withChain(text, last);
    checkBytes(chained, maxBytes, write.stream!);
    return chained;
  });
  lasts.set(write.stream!, last);
  return { ...write, events };
}

function checkBytes(text: string, maxBytes: number, stream: string): void {
  if (text.length * 3 <= maxBytes) return;
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return;
  throw new MessageError(
    'too-large',
    `an event of ${stream} has ${bytes} bytes with its chain value, the limit is ${maxBytes}`,
  );
}

function holds(guard: Guard, stream: string, { version }: StreamHead): boolean {
  if (guard.kind !== 'version' || guard.stream !== stream) return false;
  return guard.expected === version || (guard.expected === 'none' && version === 0);
}
