import { crc32 } from 'node:zlib';

/** What a stream was at one version, so that loading need not begin with its first event. */
export interface Snapshot {
  /** The number of events that are in it. */
  readonly version: number;
  /** The id of the last of them: where the stream has another one, it is not the stream that this was taken of. */
  readonly event: string;
  /** The version of what made the state of the events. */
  readonly reducer: number;
  /** With how many keys its state is encrypted, which is made of personal data; absent: it is not. */
  readonly sealed?: number;
  /** As it stands in the store. */
  readonly text: string;
}

/** The state of the store that keeps the snapshot of a stream. */
export function snapshotState(stream: string): string {
  return `snapshot.${stream}`;
}

/** A snapshot as JSON, with a sum over everything behind the sum. */
export function snapshotText({ version, event, reducer, sealed }: Omit<Snapshot, 'text'>, state: unknown): string {
  const about = `"version":${version},"event":${JSON.stringify(event)},"reducer":${reducer}`;
  const rest = `${about}${sealed === undefined ? '' : `,"sealed":${sealed}`},"state":${JSON.stringify(state)}}`;
  return `${head(rest)}${rest}`;
}

/** A stored snapshot; undefined for what is none, or not what was written. */
export function readSnapshot(text: string): Snapshot | undefined {
  const rest = text.slice(HEAD);
  if (text.slice(0, HEAD) !== head(rest)) return undefined;
  const { version, event, reducer, sealed } = JSON.parse(text) as Omit<Snapshot, 'text'>;
  return { version, event, reducer, ...(sealed === undefined ? {} : { sealed }), text };
}

/** The state in a snapshot: another copy each time. */
export function stateIn({ text }: Snapshot): unknown {
  return (JSON.parse(text) as { readonly state: unknown }).state;
}

const HEAD = '{"sum":"01234567",'.length;

function head(rest: string): string {
  return `{"sum":"${crc32(rest).toString(16).padStart(8, '0')}",`;
}
