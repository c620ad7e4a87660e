export { ArchiveError } from './archive-error.js';
export type { ArchiveStore } from './archive-store.js';
export { FeedArchive } from './feed-archive.js';
export type { FeedArchiveOptions } from './feed-archive.js';
export { FileArchiveStore } from './file-archive-store.js';
export { withArchive } from './with-archive.js';
