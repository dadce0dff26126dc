// Where outputs lie on a photo, and which codes answer for them: grid.py, and axis_neighbours in
// folded.py. A grid is { height, width, box: [left, top, right, bottom] in photo pixels }; a span is
// [first, after the last].
const TIE_BREAK = 1e-6; // coords.py
const EPSILON = 1e-9; // liif.py

export function gridOf(view, step = 1) {
  const [down, across] = view.spans;
  const [height, width] = [down, across].map(({ count }) => Math.max(1, Math.ceil(count / step)));
  return { height, width, box: [across.start, down.start, across.end, down.end] };
}

// The size of an output along y (0) or x (1), in photo pixels, and where the first one begins.
export function along({ height, width, box: [left, top, right, bottom] }, axis) {
  return axis ? { start: left, step: (right - left) / width } : { start: top, step: (bottom - top) / height };
}

// Where the outputs of a span have their centres, in photo pixels.
export function positions(grid, axis, [first, last]) {
  const { start, step } = along(grid, axis);
  return Float64Array.from({ length: last - first }, (_, at) => start + (first + at + 0.5) * step);
}

// Which outputs of a span fall into which tile: [tile, first, after the last], counted from 0 of the
// whole grid.
export function tileSpans(grid, axis, [first, last], size, side) {
  const found = [];
  for (const [at, place] of positions(grid, axis, [first, last]).entries()) {
    const tile = Math.floor(Math.min(Math.max(Math.floor(place), 0), size - 1) / side);
    if (found.at(-1)?.[0] === tile) found.at(-1)[2] = first + at + 1;
    else found.push([tile, first + at, first + at + 1]);
  }
  return found;
}

export function nearestIndex(coord, n) {
  const index = Math.floor((coord + TIE_BREAK + 1) * (n / 2));
  return Math.min(Math.max(index, 0), n - 1);
}

// The neighbours of one coordinate: { index, delta, weight } of two, or of one alone.
export function neighbours(coord, n, ensemble) {
  const steps = ensemble ? [-1 / n, 1 / n] : [0];
  const index = steps.map((step) => nearestIndex(coord + step, n));
  const delta = index.map((at) => (coord - ((2 * at + 1) / n - 1)) * n);
  const sides = delta.map((value) => Math.abs(value) + EPSILON).reverse();
  const sum = sides.reduce((one, other) => one + other);
  return { index, delta, weight: sides.map((side) => side / sum) };
}

// The same of all outputs of a span, as the kernel reads them; size: codes along the axis, of
// which a tile's first is `origin`.
export function axisNeighbours(grid, axis, span, size, { ensemble, origin }) {
  const places = positions(grid, axis, span);
  const [count, outputs] = [ensemble ? 2 : 1, places.length];
  const index = new Int32Array(count * outputs);
  const [delta, weight] = [new Float32Array(count * outputs), new Float32Array(count * outputs)];
  for (const [at, place] of places.entries()) {
    const found = neighbours(place * (2 / size) - 1, size, ensemble);
    for (let k = 0; k < count; k += 1) {
      index[k * outputs + at] = found.index[k] - origin;
      delta[k * outputs + at] = found.delta[k];
      weight[k * outputs + at] = found.weight[k];
    }
  }
  return { index, delta, weight, count, outputs };
}
