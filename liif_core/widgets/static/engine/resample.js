// Zooming without learning, to the bit as Pillow computes it: nearest, bilinear, bicubic, and the
// pyramid of halved photos that large photos are shown from (frames.py). Pictures are
// { height, width, rgb: (height, width, 3) in 8 bits }.
import { along } from "./grid.js";

const PRECISION = 22; // bits of Pillow's coefficients
const KERNELS = { bilinear: [triangle, 1], bicubic: [cubic, 2] };

function triangle(x) {
  return Math.max(0, 1 - Math.abs(x));
}

function cubic(value) {
  const a = -0.5;
  const x = Math.abs(value);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

// For each output: which inputs it reads, and their whole-numbered shares (precompute_coeffs).
function coefficients(size, start, end, outputs, [kernel, reach]) {
  const scale = Math.fround(end - start) / outputs;
  const wide = Math.max(scale, 1);
  const support = reach * wide;
  return Array.from({ length: outputs }, (_, at) => {
    const centre = start + (at + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(size, Math.trunc(centre + support + 0.5));
    const shares = [];
    for (let x = first; x < last; x += 1) shares.push(kernel((x - centre + 0.5) * (1 / wide)));
    const sum = shares.reduce((one, other) => one + other, 0);
    const whole = (share) => {
      const value = (sum === 0 ? share : share / sum) * (1 << PRECISION);
      return Math.trunc(value < 0 ? value - 0.5 : value + 0.5);
    };
    return { first, shares: Int32Array.from(shares, whole) };
  });
}

// Weighted means along one axis. stride: between the inputs along it.
function pass(source, target, lines, { stride, line, to, step }, table) {
  for (let at = 0; at < lines; at += 1) {
    for (const [number, { first, shares }] of table.entries()) {
      for (let channel = 0; channel < 3; channel += 1) {
        let from = at * line + first * stride + channel;
        let sum = 1 << (PRECISION - 1);
        for (let k = 0; k < shares.length; k += 1, from += stride) sum += source[from] * shares[k];
        target[at * to + number * step + channel] = sum >> PRECISION; // clamped by the array
      }
    }
  }
}

// Image.resize of a part: box [left, top, right, bottom], which Pillow takes as float32.
export function resized({ height, width, rgb }, rows, cols, method, box) {
  const [left, top, right, bottom] = box.map(Math.fround);
  const across = coefficients(width, left, right, cols, KERNELS[method]);
  const down = coefficients(height, top, bottom, rows, KERNELS[method]);
  const narrow = new Uint8ClampedArray(height * cols * 3);
  pass(rgb, narrow, height, { stride: 3, line: 3 * width, to: 3 * cols, step: 3 }, across);
  const found = new Uint8ClampedArray(rows * cols * 3);
  pass(narrow, found, cols, { stride: 3 * cols, line: 3, to: 3, step: 3 * cols }, down);
  return { height: rows, width: cols, rgb: found };
}

// Image.reduce(2).
export function halved({ height, width, rgb }) {
  const [rows, cols] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const found = new Uint8ClampedArray(rows * cols * 3);
  for (let y = 0; y < rows; y += 1) {
    const ys = 2 * y + 1 < height ? [2 * y, 2 * y + 1] : [2 * y];
    for (let x = 0; x < cols; x += 1) {
      const xs = 2 * x + 1 < width ? [2 * x, 2 * x + 1] : [2 * x];
      const count = ys.length * xs.length;
      for (let channel = 0; channel < 3; channel += 1) {
        let sum = count >> 1;
        for (const row of ys) for (const col of xs) sum += rgb[(row * width + col) * 3 + channel];
        found[(y * cols + x) * 3 + channel] = Math.floor(sum / count);
      }
    }
  }
  return { height: rows, width: cols, rgb: found };
}

export function cut({ width, rgb }, [top, bottom], [left, right]) {
  const [rows, cols] = [bottom - top, right - left];
  const found = new Uint8ClampedArray(rows * cols * 3);
  for (let y = 0; y < rows; y += 1) {
    const from = ((top + y) * width + left) * 3;
    found.set(rgb.subarray(from, from + 3 * cols), y * cols * 3);
  }
  return { height: rows, width: cols, rgb: found };
}

// A photo, and its halves as they are needed.
export class Pyramid {
  constructor(photo) {
    this.levels = [photo];
  }

  level(number) {
    while (this.levels.length <= number) this.levels.push(halved(this.levels.at(-1)));
    return this.levels[number];
  }

  // Some rows and columns of a picture by a method without learning: ExploredPhoto._resized.
  part(grid, method, rows, cols) {
    return method === "nearest" ? this.nearest(grid, rows, cols) : this.smooth(grid, method, rows, cols);
  }

  nearest(grid, rows, cols) {
    const { height, width, rgb } = this.levels[0];
    const places = [rows, cols].map((span, axis) => {
      const { start, step } = along(grid, axis);
      const most = (axis ? width : height) - 1;
      return Int32Array.from({ length: span[1] - span[0] }, (_, at) =>
        Math.min(Math.max(Math.floor(start + (span[0] + at + 0.5) * step), 0), most),
      );
    });
    const [ys, xs] = places;
    const found = new Uint8ClampedArray(ys.length * xs.length * 3);
    let to = 0;
    for (const y of ys) {
      for (const x of xs) {
        const from = (y * width + x) * 3;
        for (let channel = 0; channel < 3; channel += 1) found[to + channel] = rgb[from + channel];
        to += 3;
      }
    }
    return { height: ys.length, width: xs.length, rgb: found };
  }

  smooth(grid, method, rows, cols) {
    const axes = [0, 1].map((axis) => along(grid, axis));
    const number = Math.max(0, Math.floor(Math.log2(Math.min(axes[0].step, axes[1].step))));
    const source = this.level(number);
    const shrunk = 2 ** number;
    const [windows, places] = [[], []];
    for (const [axis, span] of [rows, cols].entries()) {
      const { start, step } = axes[axis];
      const size = axis ? source.width : source.height;
      const [first, last] = span.map((edge) => (start + edge * step) / shrunk);
      const reach = Math.ceil(2 * Math.max(step / shrunk, 1)) + 1;
      const begin = Math.max(0, Math.floor(first) - reach);
      const end = Math.min(size, Math.ceil(last) + reach);
      windows.push([begin, end]);
      places.push([Math.max(0, first - begin), Math.min(last - begin, end - begin)]);
    }
    const [[top, bottom], [left, right]] = places;
    const window = cut(source, ...windows);
    return resized(window, rows[1] - rows[0], cols[1] - cols[0], method, [left, top, right, bottom]);
  }
}
