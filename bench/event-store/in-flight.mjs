/** Does `act(0)` to `act(count - 1)`, so many at a time: each of `width` workers takes the next one when its last is done. */
export async function inFlight(width, count, act) {
  let next = 0;
  const worker = async (which) => {
    while (next < count) await act(next++, which);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, (_, which) => worker(which)));
}
