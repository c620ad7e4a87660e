import { MillraceError } from '../errors.js';

/**
 * An export cannot be read or imported: it is damaged, incomplete, of another version, or not what the target holds.
 * Everything up to the block before that line has been imported; a repaired file goes on there.
 */
export class ExportError extends MillraceError {
  override readonly name = 'ExportError';
  readonly code = 'export';

  constructor(
    /** Line of the export, from 1; 0: none in particular. */
    readonly line: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(line > 0 ? `line ${line}: ${message}` : message, options);
  }
}
