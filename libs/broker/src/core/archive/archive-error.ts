import { MillraceError } from '../errors.js';

/**
 * What an archive gives back is not what it was given, and nothing has been removed from the feed: look at the archive. Or
 * archived events are wanted from a store that does not read the archive.
 */
export class ArchiveError extends MillraceError {
  override readonly name = 'ArchiveError';
  readonly code = 'archive';
}
