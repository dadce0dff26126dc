// Which build of the kernel this browser runs. With relaxed SIMD a product is added in one step where
// the processor can do that, which takes a sixth less time; not every browser knows it, and what it
// rounds is the processor's affair. So that build is used only after it has answered as the plain one.
import { axisNeighbours } from "./grid.js";
import { Kernel } from "./kernel.js";
import { COLOUR } from "./encoder.js";
import { Network } from "./network.js";

const TOLERANCE = 1e-4; // of what is 1 or more, and of 1 for what is less

// kernels: { plain, relaxed }, bytes or promises of them. Promises { build, module }.
export async function chosenKernel({ plain, relaxed }) {
  const other = Promise.resolve(relaxed).then((bytes) => WebAssembly.compile(bytes));
  other.catch(() => {}); // then there is the plain one
  const module = await compiled(await plain);
  try {
    const faster = await other;
    if (alike(sampled(faster), sampled(module))) return { build: "relaxed", module: faster };
  } catch {
    // this browser does not know it, or did not get it
  }
  return { build: "plain", module };
}

async function compiled(bytes) {
  try {
    return await WebAssembly.compile(bytes);
  } catch {
    throw new Error("This browser lacks WebAssembly with SIMD, which LIIF needs here; use a newer one.");
  }
}

function alike(found, expected) {
  return found.every((value, at) => Math.abs(value - expected[at]) <= TOLERANCE * Math.max(1, Math.abs(expected[at])));
}

// What a small made-up model says of a small made-up photo: its codes, and its answers.
function sampled(module) {
  const [channels, width, side, shown] = [8, 16, 10, 90]; // enlarged: some codes answer for many
  const kernel = new Kernel(module);
  const network = new Network(kernel, madeUp(channels, width));
  const decoder = network.decoder({ local_ensemble: true, feature_unfolding: true, cell_decoding: true });
  const rgb = Uint8Array.from(waves(3 * side * side, 7), (value) => 127 + 120 * value);
  const codes = network.encode(rgb, side, side);
  const hidden = kernel.room(side * side * network.hidden);
  network.hiddenMap(decoder, codes, { height: side, width: side }, hidden);
  const colours = kernel.put(waves(side * side * COLOUR, 8));
  const grid = { height: side, width: shown, box: [0, 0, side, side] };
  const [down, across] = [side, shown].map((count, axis) =>
    axisNeighbours(grid, axis, [0, count], side, { ensemble: true, origin: 0 }),
  );
  const answers = network.decode(decoder, { hidden, colours, width: side }, down, across, { cell: [1, 0.2] });
  const parts = [[codes, (side + 2) ** 2 * channels], [answers, side * shown * COLOUR]];
  return parts.flatMap(([start, count]) => [...kernel.floats(start, count)]);
}

// Weights as readWeights returns them.
function madeUp(channels, width) {
  const tensors = {};
  const layer = (name, ...shape) => {
    const each = shape.slice(1).reduce((one, other) => one * other);
    const values = waves(shape[0] * each, name.length).map((value) => value * Math.sqrt(4 / each));
    tensors[`${name}.weight`] = { shape, values };
    tensors[`${name}.bias`] = { shape: [shape[0]], values: waves(shape[0], 1).map((value) => value / 4) };
  };
  layer("encoder.head.0", channels, 3, 3, 3);
  for (const part of ["0.body.0", "0.body.2", "1"]) layer(`encoder.body.${part}`, channels, channels, 3, 3);
  layer("imnet.layers.0", width, channels + 4);
  layer("imnet.layers.2", width, width);
  layer("imnet.layers.4", width, width);
  layer("imnet.layers.6", 3, width);
  const parts = { local_ensemble: true, feature_unfolding: false, cell_decoding: true, local_colour: true };
  return { config: { blocks: 1, channels, ...parts }, tensors };
}

// Numbers between -1 and 1, always the same.
function waves(count, seed) {
  return Float32Array.from({ length: count }, (_, at) => Math.sin((at + seed) * (at + 1.7)));
}
