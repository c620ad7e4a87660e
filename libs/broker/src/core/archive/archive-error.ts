import { MillraceError } from '../errors.js';

/** What an archive gives back is not what it was given. Nothing has been removed from the feed; look at the archive. */
export class ArchiveError extends MillraceError {
  override readonly name = 'ArchiveError';
  readonly code = 'archive';
}
