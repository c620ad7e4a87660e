import { MESSAGE_FIELD } from '@millrace/messages';
import type { EventIndex, RestoredEvent } from '../event-index.js';
import { INDEX_KINDS } from '../event-index.js';
import { ExportError } from './export-error.js';

/** The first line: whose events these are, and how far each feed goes. */
export interface ExportHeader {
  readonly context: string;
  /** Last position of each partition's feed when the export was begun. */
  readonly heads: readonly number[];
}

/** What a line of an export says. Blocks are closed by their checksum. */
export type ExportLine =
  | ({ readonly kind: 'header' } & ExportHeader)
  | ({ readonly kind: 'event'; readonly partition: number } & RestoredEvent)
  /** These positions were empty. */
  | { readonly kind: 'removed'; readonly partition: number; readonly from: number; readonly to: number }
  /** Positions of an index, from its `offset`-th on. */
  | {
      readonly kind: 'index';
      readonly partition: number;
      readonly index: EventIndex;
      readonly offset: number;
      readonly positions: readonly number[];
    }
  | { readonly kind: 'block'; readonly sha256: string; readonly end: boolean };

const FORMAT = 1;

/** One line without its end. The same event is always the same bytes. */
export function writeLine(line: ExportLine): string {
  switch (line.kind) {
    case 'header':
      return JSON.stringify({ millrace: 'export', format: FORMAT, context: line.context, heads: line.heads });
    case 'event':
      return `{"partition":${line.partition},${writeEvent(line)}}`;
    case 'removed':
      return JSON.stringify({ partition: line.partition, removed: [line.from, line.to] });
    case 'index':
      return JSON.stringify({
        partition: line.partition,
        [line.index.kind]: line.index.name,
        offset: line.offset,
        positions: line.positions,
      });
    case 'block':
      return JSON.stringify(line.end ? { sha256: line.sha256, end: true } : { sha256: line.sha256 });
  }
}

/** @throws ExportError for a line that none of these is */
export function readLine(text: string, number: number): ExportLine {
  const line = parse(text, number);
  const { partition, sha256 } = line;
  if (typeof sha256 === 'string') return { kind: 'block', sha256, end: line['end'] === true };
  if (line['millrace'] !== undefined) return readHeader(line, number);
  if (isCount(partition)) {
    const event = readEvent(line);
    if (event) return { kind: 'event', partition, ...event };
    const { removed, offset, positions } = line;
    if (isCounts(removed) && removed.length === 2) {
      return { kind: 'removed', partition, from: removed[0]!, to: removed[1]! };
    }
    const kind = INDEX_KINDS.find((each) => typeof line[each] === 'string');
    if (kind && isCount(offset) && isCounts(positions)) {
      return { kind: 'index', partition, index: { kind, name: line[kind] as string }, offset, positions };
    }
  }
  throw new ExportError(number, `this is no line of an export: ${text.slice(0, 80)}`);
}

/** The members of an object that hold an event: as JSON where that gives the same bytes again, else as fields. */
export function writeEvent({ position, fields }: RestoredEvent): string {
  const [name, text] = fields;
  if (fields.length === 2 && name === MESSAGE_FIELD && isPlain(text!)) return `"position":${position},"event":${text}`;
  return `"position":${position},"fields":${JSON.stringify(fields)}`;
}

/** Undefined when it holds none. */
export function readEvent(line: Readonly<Record<string, unknown>>): RestoredEvent | undefined {
  const { position, event, fields } = line;
  if (!isCount(position)) return undefined;
  if (event !== undefined) return { position, fields: [MESSAGE_FIELD, JSON.stringify(event)] };
  if (!Array.isArray(fields) || fields.length === 0 || fields.length % 2 === 1) return undefined;
  return fields.every((each): each is string => typeof each === 'string') ? { position, fields } : undefined;
}

/** Whether it is JSON that comes out of a parser and back as the same text. */
function isPlain(text: string): boolean {
  if (!text.startsWith('{')) return false;
  try {
    return JSON.stringify(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

function parse(text: string, number: number): Readonly<Record<string, unknown>> {
  try {
    const line = JSON.parse(text) as unknown;
    if (typeof line === 'object' && line !== null) return line as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new ExportError(number, `this is no JSON: ${(cause as Error).message}`, { cause });
  }
  throw new ExportError(number, `this is no line of an export: ${text.slice(0, 80)}`);
}

function readHeader(line: Readonly<Record<string, unknown>>, number: number): ExportLine {
  const { millrace, format, context, heads } = line;
  if (millrace !== 'export' || typeof context !== 'string' || !isCounts(heads) || heads.length === 0) {
    throw new ExportError(number, 'this is not the first line of an export');
  }
  if (format !== FORMAT) throw new ExportError(number, `this is an export of format ${String(format)}, not ${FORMAT}`);
  return { kind: 'header', context, heads };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}
