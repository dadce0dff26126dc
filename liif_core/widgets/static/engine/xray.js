// One query taken apart: xray.py, as ExploredPhoto.explain asks it, of four codes.
import { neighbours } from "./grid.js";
import { asInput } from "./encoder.js";
import { LATTICES } from "./lattices.js";
import { cut } from "./resample.js";

const OTHER_SEEDS = 16; // that tell what of a colour is chance

// Returns the fields of the answer `xray`; see QUESTIONS.md. halo: of a tile.
export function explain(network, photo, side, { coord, cell, halo }) {
  const size = [photo.height, photo.width];
  const axes = size.map((count, axis) => {
    const at = ((coord[axis] + 1) / 2) * count;
    const start = Math.max(0, Math.floor(at) - halo - 1);
    const stop = Math.min(count, Math.floor(at) + halo + 2);
    const asked = Math.min(Math.max(((at - start) / (stop - start)) * 2 - 1, -1), 1);
    return { start, stop, asked, at, sides: cell[axis] * count };
  });
  const window = cut(photo, ...axes.map(({ start, stop }) => [start, stop]));
  const decoder = network.decoder(side);
  const [down, across] = axes.map(({ start, stop, asked }) =>
    neighbours(asked, stop - start, decoder.ensemble),
  );
  const sides = axes.map((axis) => axis.sides);
  const hidden = hiddenOf(network, decoder, window, down.index, across.index);
  const ask = (noise) => {
    const codes = [];
    for (const [i, row] of down.index.entries()) {
      for (const [j, col] of across.index.entries()) {
        const delta = [down.delta[i], across.delta[j]];
        const said = network.answerAlone(decoder, hidden(row, col), delta, sides, noise);
        const place = (row * window.width + col) * 3;
        codes.push({
          row: row + axes[0].start, col: col + axes[1].start, delta,
          weight: Math.fround(down.weight[i] * across.weight[j]),
          ...coloured(said, network.localColour ? window.rgb.subarray(place, place + 3) : null),
        });
      }
    }
    return codes;
  };
  const read = network.noise ? noiseReader(network, axes) : () => [];
  const seed = side.seed ?? network.config.seed;
  const codes = ask(read(seed));
  const corner = ["row", "col"].map((name) => Math.min(...codes.map((code) => code[name])) - 1);
  return {
    codes, colour: sumOfCodes(codes), corner, local_colour: network.localColour,
    chance: network.noise ? chanceAt(seed, read, (noise) => sumOfCodes(ask(noise))) : null,
    pixels: pixelsAt(photo, corner),
  };
}

function sumOfCodes(codes) {
  return [0, 1, 2].map((k) => codes.reduce((sum, code) => sum + code.weight * code.answer[k], 0));
}

// A function: what is read of the noise of a seed, at the place that is asked about in the photo.
function noiseReader(network, axes) {
  const { kernel, noise: { channels } } = network;
  const places = axes.map(({ at }) => Float64Array.of(at));
  const side = Math.sqrt(axes[0].sides * axes[1].sides) / 2;
  return (seed) => kernel.within(() => [...kernel.floats(network.noiseAt(places, side, seed), channels)]);
}

// What noise has to do with a colour: Chance in xray.py. colour(noise): the colour with that noise.
function chanceAt(seed, read, colour) {
  const own = read(seed);
  const others = Array.from({ length: OTHER_SEEDS }, (_, k) => colour(read((seed + k + 1) % 2 ** 31)));
  const spread = [0, 1, 2].map((k) => {
    const values = others.map((other) => other[k]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
  });
  return {
    seed, others, spread,
    read: own.map((value, n) => ({ ...LATTICES[n], value })),
    without: colour(own.map(() => 0)),
  };
}

// Encode a window and return a function: what the first layer says of a code, in numbers that stay.
function hiddenOf(network, decoder, window, rows, cols) {
  const { kernel, hidden } = network;
  const found = new Map();
  kernel.within(() => {
    const { height, width } = window;
    const codes = network.encode(window.rgb, height, width);
    const map = kernel.room(height * width * hidden);
    network.hiddenMap(decoder, codes, window, map);
    for (const row of rows) {
      for (const col of cols) {
        const at = map + 4 * (row * width + col) * hidden;
        found.set(`${row} ${col}`, kernel.floats(at, hidden).slice());
      }
    }
  });
  return (row, col) => found.get(`${row} ${col}`);
}

function coloured(said, pixel) {
  const base = [0, 1, 2].map((k) => (pixel ? asInput(pixel[k]) * 0.5 + 0.5 : 0));
  const answer = said.map((value, k) => (value + (pixel ? asInput(pixel[k]) : 0)) * 0.5 + 0.5);
  return { base, correction: answer.map((value, k) => value - base[k]), answer };
}

function pixelsAt({ height, width, rgb }, [top, left]) {
  const four = [0, 1, 2, 3];
  return four.map((down) =>
    four.map((right) => {
      const [row, col] = [top + down, left + right];
      if (row < 0 || col < 0 || row >= height || col >= width) return null;
      return [...rgb.subarray((row * width + col) * 3, (row * width + col) * 3 + 3)];
    }),
  );
}
