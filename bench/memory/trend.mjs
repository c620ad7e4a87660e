import { median } from '../figures.mjs';

/** Least squares: how much the numbers grow from one to the next. */
export function slope(numbers) {
  const middle = (numbers.length - 1) / 2;
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  let [over, under] = [0, 0];
  numbers.forEach((number, i) => {
    over += (i - middle) * (number - mean);
    under += (i - middle) ** 2;
  });
  return under === 0 ? 0 : over / under;
}

/** Medians of the first and of the last quarter. */
export function quartiles(numbers) {
  const size = Math.max(1, numbers.length >> 2);
  return [median(numbers.slice(0, size)), median(numbers.slice(-size))];
}
