export { exportContext } from './export-context.js';
export type { ExportOptions, TransferProgress } from './export-context.js';
export { ExportError } from './export-error.js';
export type { ExportHeader, ExportLine } from './export-line.js';
export { placeOf } from './export-place.js';
export type { ExportPlace } from './export-place.js';
export { importContext } from './import-context.js';
export type { Imported, ImportOptions } from './import-context.js';
