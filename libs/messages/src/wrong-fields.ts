import { validateSync } from 'class-validator';
import type { ValidationError } from 'class-validator';
import { missingNested } from './nested.js';

/** Whether whatever is wrong at a path does not count. */
export type Excused = (path: readonly string[]) => boolean;

/**
 * Lets class-validator look at a message.
 *
 * @param whitelist removes what classes do not declare
 * @returns one sentence per wrong field, with its path: `lines.0.quantity must not be less than 1`
 */
export function wrongFields(message: object, whitelist: boolean, excused?: Excused): readonly string[] {
  const errors = validateSync(message, { whitelist, forbidUnknownValues: false, stopAtFirstError: true });
  return [...new Set([...explain(errors, '', excused), ...missingNested(message)])];
}

function explain(errors: readonly ValidationError[], path: string, excused: Excused | undefined): string[] {
  return errors.flatMap((error) => {
    const here = path ? `${path}.${error.property}` : error.property;
    if (excused?.(here.split('.'))) return [];
    const own = Object.values(error.constraints ?? {}).map((text) => sentence(here, error.property, text));
    return [...own, ...explain(error.children ?? [], here, excused)];
  });
}

function sentence(path: string, property: string, text: string): string {
  return text.includes(property) ? text.replace(property, path) : `${path}: ${text}`;
}
