import { checkContext } from '@millrace/broker';

/** Whether a command does a step, undoes it, or follows complete compensation. */
export type Direction = 'do' | 'undo' | 'end';

/** What the id of a saga's command says. The same attempt always has the same id, so sending it twice is sending it once. */
export interface CommandId {
  readonly saga: string;
  /** Id of the instance. */
  readonly id: string;
  /** Index of the step. */
  readonly step: number;
  readonly direction: Direction;
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/** `<saga>/<id>/<step>/<do|undo|end>/<attempt>` */
export function formatCommandId({ saga, id, step, direction, attempt }: CommandId): string {
  return `${saga}/${encodeId(id)}/${step}/${direction}/${attempt}`;
}

/** Reads a command id, as it stands in a reply's `inreplyto`; undefined when no saga has written it. */
export function parseCommandId(text: string): CommandId | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const id = decodeId(match[2]!);
  if (id === undefined) return undefined;
  const direction = match[4] as Direction;
  return { saga: match[1]!, id, step: Number(match[3]), direction, attempt: Number(match[5]) };
}

/** The name of an instance's state and timer: `saga.<saga>.<id>`. */
export function stateName(saga: string, id: string): string {
  return `saga.${checkContext(saga, 'saga')}.${encodeId(id)}`;
}

/** Whether a text can identify an instance: well-formed Unicode, not empty, and at most 180 bytes in a name. */
export function isSagaId(text: string): boolean {
  return text !== '' && !/\p{Surrogate}/u.test(text) && encodeId(text).length <= 180;
}

const FORM = /^([a-z][a-z0-9-]*)\/([^/]+)\/(0|[1-9]\d{0,5})\/(do|undo|end)\/([1-9]\d{0,9})$/;

/** An id without '/' and without what names of states and timers may not contain. */
function encodeId(id: string): string {
  return encodeURIComponent(id).replaceAll('*', '%2A').replaceAll('..', '%2E%2E');
}

function decodeId(encoded: string): string | undefined {
  try {
    const id = decodeURIComponent(encoded);
    return encodeId(id) === encoded ? id : undefined;
  } catch {
    return undefined;
  }
}
