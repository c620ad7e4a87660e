/** What stands in the place of an instance that was removed after its time, so that a late message does not start it again. */
export interface Removed {
  /** ms since 1970 */
  readonly removedAt: number;
}

export function isRemoved(value: object): value is Removed {
  return 'removedAt' in value;
}
