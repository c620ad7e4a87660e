/** How long it is remembered that an effect has been undone, unless said otherwise: a week. */
export const TOMBSTONE_TTL_MS = 7 * 86_400_000;
