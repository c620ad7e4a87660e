const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 72;
const RIGHT = 24;
const TOP = 48;
const BOTTOM = 72;
const COLORS = ['#2563eb', '#d97706', '#059669'];

/**
 * Lines over sizes that grow tenfold, as SVG: the y axis begins at 0, so that flat looks flat.
 *
 * @param series `{ name, values }`, a value for each size
 */
export function chart({ title, unit, sizes, series }) {
  const top = niceAbove(Math.max(...series.flatMap(({ values }) => values)));
  const [first, last] = [Math.log10(sizes[0]), Math.log10(sizes.at(-1))];
  const x = (size) => LEFT + ((Math.log10(size) - first) / (last - first || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => part * top);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(LEFT, 24, escape(title), 'start', ' font-size="14"'),
    ...ticks.flatMap((tick) => [
      `<path d="M${LEFT} ${round(y(tick))}H${WIDTH - RIGHT}" stroke="#d4d4d8"/>`,
      text(LEFT - 8, y(tick) + 4, `${round(tick)} ${unit}`, 'end'),
    ]),
    ...sizes.map((size) => text(x(size), HEIGHT - BOTTOM + 20, size.toLocaleString('en'), 'middle')),
    ...series.flatMap(({ name, values }, i) => line(name, values, i)),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;

  function line(name, values, i) {
    const color = COLORS[i % COLORS.length];
    const points = values.map((value, n) => [round(x(sizes[n])), round(y(value))]);
    const legend = HEIGHT - 28 + i * 16;
    return [
      `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`,
      ...points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="4" fill="${color}"/>`),
      `<path d="M${LEFT} ${legend - 4}h24" stroke="${color}" stroke-width="2"/>`,
      text(LEFT + 32, legend, escape(name), 'start'),
    ];
  }
}

function text(x, y, words, anchor, more = '') {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="#18181b"${more}>${words}</text>`;
}

/** 1, 2 or 4 times a power of ten, whose quarters are short numbers. */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 8, 10].map((factor) => factor * power).find((candidate) => candidate >= value);
}

function round(number) {
  return Math.round(number * 10) / 10;
}

function escape(words) {
  return words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
