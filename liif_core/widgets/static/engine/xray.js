// One query taken apart: xray.py, as ExploredPhoto.explain asks it. The decoder runs in plain
// JavaScript here, for four codes.
import { neighbours } from "./grid.js";
import { asInput } from "./network.js";
import { cut } from "./resample.js";

// Returns the fields of the answer `xray`; see QUESTIONS.md. halo: of a tile.
export function explain(network, photo, side, { coord, cell, halo }) {
  const size = [photo.height, photo.width];
  const axes = size.map((count, axis) => {
    const at = ((coord[axis] + 1) / 2) * count;
    const start = Math.max(0, Math.floor(at) - halo - 1);
    const stop = Math.min(count, Math.floor(at) + halo + 2);
    const asked = Math.min(Math.max(((at - start) / (stop - start)) * 2 - 1, -1), 1);
    return { start, stop, asked, sides: cell[axis] * count };
  });
  const window = cut(photo, ...axes.map(({ start, stop }) => [start, stop]));
  const decoder = network.decoder(side);
  const [down, across] = axes.map(({ start, stop, asked }) =>
    neighbours(asked, stop - start, decoder.ensemble),
  );
  const sides = axes.map((axis) => axis.sides);
  const hidden = hiddenOf(network, decoder, window, down.index, across.index);
  const codes = [];
  for (const [i, row] of down.index.entries()) {
    for (const [j, col] of across.index.entries()) {
      const delta = [down.delta[i], across.delta[j]];
      const said = answerOf(network, decoder, hidden(row, col), delta, sides);
      const place = (row * window.width + col) * 3;
      codes.push({
        row: row + axes[0].start, col: col + axes[1].start, delta,
        weight: Math.fround(down.weight[i] * across.weight[j]),
        ...coloured(said, network.config.local_colour ? window.rgb.subarray(place, place + 3) : null),
      });
    }
  }
  const colour = [0, 1, 2].map((k) => codes.reduce((sum, code) => sum + code.weight * code.answer[k], 0));
  const corner = ["row", "col"].map((name) => Math.min(...codes.map((code) => code[name])) - 1);
  return {
    codes, colour, corner, local_colour: network.config.local_colour, chance: null,
    pixels: pixelsAt(photo, corner),
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

// What one code alone says, in [-1, 1], without local colour.
function answerOf(network, decoder, hidden, delta, sides) {
  const { weight, inputs, outputs } = network.linears[0];
  const features = inputs - (network.config.cell_decoding ? 4 : 2);
  let x = Array.from({ length: outputs }, (_, k) => {
    const beside = weight.subarray(k * inputs + features, (k + 1) * inputs);
    const place = beside[0] * delta[0] + beside[1] * delta[1];
    return hidden[k] + place + (decoder.cell ? beside[2] * sides[0] + beside[3] * sides[1] : 0);
  });
  for (const layer of network.linears.slice(1)) {
    const before = x.map((value) => Math.max(0, value));
    x = Array.from(layer.bias, (bias, o) =>
      before.reduce((sum, value, i) => sum + value * layer.weight[o * layer.inputs + i], bias),
    );
  }
  return x;
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
