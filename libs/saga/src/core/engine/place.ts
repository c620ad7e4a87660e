/** Where a node stands in a running saga. */
export interface Place {
  /** Indexes of nodes, names of branches and numbers of items, from the outside in: `2`, `3.hotel.0`, `4.17.0`. */
  readonly path: string;
  /** The innermost item of a list that it is about. */
  readonly item: unknown;
}

/** The place of the whole saga. */
export const ROOT: Place = { path: '', item: undefined };

export function inside({ path, item }: Place, part: string | number): Place {
  return { path: path === '' ? String(part) : `${path}.${part}`, item };
}
