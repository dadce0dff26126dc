// Which build of the kernel this browser runs. With relaxed SIMD a product is added in one step where
// the processor can do that, which takes a sixth less time; not every browser knows it, and what it
// rounds is the processor's affair. So that build is used only after it has answered as the plain one.
import { axisNeighbours, positions } from "./grid.js";
import { Kernel } from "./kernel.js";
import { COLOUR } from "./encoder.js";
import { networkOf } from "./networks.js";

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

// What small made-up models of every kind say of a small made-up photo: their codes, and their answers.
function sampled(module) {
  return [madeUp({}), madeUp({ noise: 2, seed: 3 }), madeUpHeat()].flatMap((weights) => answered(module, weights));
}

const [MADE_CHANNELS, MADE_WIDTH] = [8, 16];

function answered(module, weights) {
  const [side, tall, shown] = [10, 13, 90]; // enlarged: some codes answer for many
  const kernel = new Kernel(module);
  const network = networkOf(kernel, weights);
  const decoder = network.decoder({ local_ensemble: true, feature_unfolding: true, cell_decoding: true });
  const rgb = Uint8Array.from(waves(3 * side * side, 7), (value) => 127 + 120 * value);
  const codes = network.encode(rgb, side, side);
  const hidden = kernel.room(side * side * network.hidden);
  network.hiddenMap(decoder, codes, { height: side, width: side }, hidden);
  const colours = kernel.put(waves(side * side * COLOUR, 8));
  const grid = { height: tall, width: shown, box: [0, 0, side, side] };
  const spans = [[0, tall], [0, shown]];
  const [down, across] = spans.map((span, axis) =>
    axisNeighbours(grid, axis, span, side, { ensemble: true, origin: 0 }),
  );
  const places = spans.map((span, axis) => positions(grid, axis, span));
  const asked = { cell: [1, 0.2], places };
  const answers = network.decode(decoder, { hidden, colours, width: side }, down, across, asked);
  const parts = [[codes, (side + 2) ** 2 * MADE_CHANNELS], [answers, tall * shown * COLOUR]];
  return parts.flatMap(([start, count]) => [...kernel.floats(start, count)]);
}

// A LIIF's weights as readWeights returns them.
function madeUp(more) {
  const tensors = madeUpEncoder();
  madeUpLayer(tensors, "imnet.layers.0", MADE_WIDTH, MADE_CHANNELS + 4 + (more.noise ?? 0));
  madeUpLayer(tensors, "imnet.layers.2", MADE_WIDTH, MADE_WIDTH);
  madeUpLayer(tensors, "imnet.layers.4", MADE_WIDTH, MADE_WIDTH);
  madeUpLayer(tensors, "imnet.layers.6", 3, MADE_WIDTH);
  const parts = { local_ensemble: true, feature_unfolding: false, cell_decoding: true, local_colour: true };
  return { config: { blocks: 1, channels: MADE_CHANNELS, ...parts, ...more }, tensors };
}

// A heat field's.
function madeUpHeat() {
  const tensors = madeUpEncoder();
  const count = 6;
  madeUpLayer(tensors, "writer.0", MADE_WIDTH, MADE_CHANNELS, 3, 3);
  madeUpLayer(tensors, "writer.2", MADE_WIDTH, MADE_WIDTH);
  madeUpLayer(tensors, "writer.4", 3 * (1 + 2 * count), MADE_WIDTH);
  tensors.omega = { shape: [count, 2], values: waves(2 * count, 4).map((value) => 4 * value) };
  tensors.log_kappa = { shape: [], values: Float32Array.of(-3) };
  const sizes = { width: MADE_WIDTH, depth: 1, waves: count };
  const parts = { local_ensemble: true, cell_decoding: true, falloff: 2, powers: 0, ...sizes };
  return { config: { blocks: 1, channels: MADE_CHANNELS, ...parts }, tensors };
}

function madeUpEncoder() {
  const tensors = {};
  madeUpLayer(tensors, "encoder.head.0", MADE_CHANNELS, 3, 3, 3);
  for (const part of ["0.body.0", "0.body.2", "1"]) {
    madeUpLayer(tensors, `encoder.body.${part}`, MADE_CHANNELS, MADE_CHANNELS, 3, 3);
  }
  return tensors;
}

function madeUpLayer(tensors, name, ...shape) {
  const each = shape.slice(1).reduce((one, other) => one * other);
  const values = waves(shape[0] * each, name.length).map((value) => value * Math.sqrt(4 / each));
  tensors[`${name}.weight`] = { shape, values };
  tensors[`${name}.bias`] = { shape: [shape[0]], values: waves(shape[0], 1).map((value) => value / 4) };
}

// Numbers between -1 and 1, always the same.
function waves(count, seed) {
  return Float32Array.from({ length: count }, (_, at) => Math.sin((at + seed) * (at + 1.7)));
}
