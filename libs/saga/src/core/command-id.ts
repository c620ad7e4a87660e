import { checkContext } from '@millrace/broker';

/** Whether a command does a step or undoes it. */
export type Direction = 'do' | 'undo';

/** What the id of a saga's command says. The same attempt always has the same id, so sending it twice is sending it once. */
export interface CommandId {
  readonly saga: string;
  /** Id of the instance. */
  readonly id: string;
  /** Where the step stands in the saga: `2`, `3.hotel.0`; `end` for the last command. */
  readonly path: string;
  readonly direction: Direction;
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/** `<saga>/<id>/<path>/<do|undo>/<attempt>` */
export function formatCommandId({ saga, id, path, direction, attempt }: CommandId): string {
  return `${saga}/${encodeId(id)}/${path}/${direction}/${attempt}`;
}

/** Reads a command id, as it stands in a reply's `inreplyto`; undefined when no saga has written it. */
export function parseCommandId(text: string): CommandId | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const id = decodeId(match[2]!);
  if (id === undefined) return undefined;
  return { saga: match[1]!, id, path: match[3]!, direction: match[4] as Direction, attempt: Number(match[5]) };
}

/** What a step does, whatever the attempt: `<saga>/<id>/<path>`. */
export function effectId(commandId: string): string {
  return commandId.slice(0, commandId.lastIndexOf('/', commandId.lastIndexOf('/') - 1));
}

/** The name of an instance's state and timer: `saga.<saga>.<id>`. */
export function stateName(saga: string, id: string): string {
  return `saga.${checkContext(saga, 'saga')}.${encodeId(id)}`;
}

/** What such a name says; undefined when it is none. */
export function parseStateName(name: string): { readonly saga: string; readonly id: string } | undefined {
  const match = /^saga\.([a-z][a-z0-9-]*)\.(.+)$/.exec(name);
  const id = match ? decodeId(match[2]!) : undefined;
  return id === undefined ? undefined : { saga: match![1]!, id };
}

/** Whether a text can identify an instance: well-formed Unicode, not empty, and at most 180 bytes in a name. */
export function isSagaId(text: string): boolean {
  return text !== '' && !/\p{Surrogate}/u.test(text) && encodeId(text).length <= 180;
}

/** Whether a text can be the name of a branch, which is part of ids. */
export function isBranchName(text: string): boolean {
  return /^[A-Za-z][\w-]{0,63}$/.test(text);
}

const FORM = /^([a-z][a-z0-9-]*)\/([^/]+)\/(end|(?:0|[1-9]\d{0,5})(?:\.[\w-]{1,64})*)\/(do|undo)\/([1-9]\d{0,9})$/;

/** What encoding leaves as it is: most ids. */
const PLAIN = /^[\w.!~'()-]*$/;

/** An id without '/' and without what names of states and timers may not contain. */
function encodeId(id: string): string {
  if (isPlain(id)) return id;
  return encodeURIComponent(id).replaceAll('*', '%2A').replaceAll('..', '%2E%2E');
}

function isPlain(id: string): boolean {
  return PLAIN.test(id) && !id.includes('..');
}

function decodeId(encoded: string): string | undefined {
  if (isPlain(encoded)) return encoded;
  try {
    const id = decodeURIComponent(encoded);
    return encodeId(id) === encoded ? id : undefined;
  } catch {
    return undefined;
  }
}
