// EDSR on the kernel: edsr.py, arranged for a browser. It reads a window of the photo into latent codes;
// network.js and heat_network.js have the decoders that ask them.

export const VECTORS = 8; // channels of a register tile
export const COLOUR = 4; // numbers of a pixel's colour: a vector
const STRIP = 16; // squares that the kernel convolves at a time

const UNCUT = [[0, 0], [0, 0]]; // a window that is cut nowhere

export const filled = (count) => Math.ceil(count / VECTORS) * VECTORS;

export class Encoder {
  // weights: see readWeights.
  constructor(kernel, { config, tensors }) {
    this.kernel = kernel;
    this.config = config;
    this.tensors = tensors;
    this.channels = filled(config.channels);
    this.scratch = kernel.room(16 * STRIP * (this.channels + VECTORS));
    const { blocks } = config;
    this.head = this.convolution("encoder.head.0", COLOUR);
    this.blocks = Array.from({ length: blocks }, (_, block) =>
      [0, 2].map((part) => this.convolution(`encoder.body.${block}.body.${part}`, this.channels)),
    );
    this.tail = this.convolution(`encoder.body.${blocks}`, this.channels);
  }

  // How far a pixel can change a latent code; see EDSR.receptive_radius.
  get radius() {
    return 2 * this.config.blocks + 2;
  }

  tensor(name) {
    return this.tensors[name].values;
  }

  // An array of numbers, as a struct of the kernel's or a list of pointers.
  table(numbers) {
    return this.kernel.put(Int32Array.from(numbers));
  }

  // Outputs along an axis, see axisNeighbours, as the kernel reads them.
  axis({ index, delta, weight, count, outputs }) {
    const { kernel } = this;
    return this.table([kernel.put(index), kernel.put(delta), kernel.put(weight), count, outputs]);
  }

  convolution(name, inputs) {
    const { shape, values } = this.tensors[`${name}.weight`];
    const at = (o, i, tap) => values[(o * shape[1] + i) * 9 + tap];
    return this.packed(at, this.tensor(`${name}.bias`), shape[0], shape[1], inputs);
  }

  // Lay the weights of a convolution out as the kernel reads them; inputs: with those that are zero.
  packed(at, bias, out, real, inputs) {
    const room = filled(out);
    const weights = new Float32Array(room * 16 * inputs);
    for (let o = 0; o < out; o += 1) {
      const block = Math.floor(o / VECTORS) * 16 * inputs;
      for (let i = 0; i < real; i += 1) {
        for (let tap = 0; tap < 9; tap += 1) GIVEN[tap] = at(o, i, tap);
        const to = (block + i) * VECTORS + (o % VECTORS);
        for (let t = 0; t < 16; t += 1) weights[to + t * inputs * VECTORS] = changed(t);
      }
    }
    const { kernel } = this;
    return { inputs, out: room, weights: kernel.put(weights), bias: this.put(bias, room) };
  }

  // Put numbers into the kernel's memory, followed by zeros.
  put(values, room) {
    const numbers = new Float32Array(room);
    numbers.set(values);
    return this.kernel.put(numbers);
  }

  // ---- what it computes; all within kernel.within, or into memory that is kept

  // Read a window: rgb (height, width, 3) in 8 bits. Returns where the codes begin, on a frame of
  // zeros one pixel wide: (height + 2, width + 2, channels). cut: [[top, bottom], [left, right]],
  // 1 where the window ends within the photo: codes nearer to that than the radius mean nothing.
  encode(rgb, height, width, cut = UNCUT) {
    const { kernel, channels } = this;
    const place = { height, width, cut, done: 0 };
    const photo = this.framed(place, COLOUR);
    const [codes, body, inner] = [0, 1, 2].map(() => this.framed(place, channels));
    const pixels = kernel.floats(photo, (height + 2) * (width + 2) * COLOUR);
    for (let y = 0, from = 0; y < height; y += 1) {
      let to = ((y + 1) * (width + 2) + 1) * COLOUR;
      for (let x = 0; x < width; x += 1, to += COLOUR) {
        for (let k = 0; k < 3; k += 1, from += 1) pixels[to + k] = asInput(rgb[from]);
      }
    }
    this.convolve(this.head, photo, place, codes);
    const count = (height + 2) * (width + 2) * channels;
    kernel.floats(body, count).set(kernel.floats(codes, count));
    for (const [first, second] of this.blocks) {
      this.convolve(first, body, place, inner, { rectify: 1 });
      this.convolve(second, inner, place, body, { residual: 1 });
    }
    this.convolve(this.tail, body, place, codes, { residual: 1 });
    return codes;
  }

  // Zeros, with room for a frame.
  framed({ height, width }, channels) {
    const count = (height + 2) * (width + 2) * channels;
    const start = this.kernel.room(count);
    this.kernel.floats(start, count).fill(0);
    return start;
  }

  // Each layer says right what is a pixel further from where the window is cut: no more is computed.
  convolve(layer, source, place, target, { rectify = 0, residual = 0 } = {}) {
    const { inputs, out, weights, bias } = layer;
    place.done += 1;
    const [[top, bottom], [left, right]] = place.cut.map((ends) => ends.map((end) => end * place.done));
    const [height, width] = [place.height - top - bottom, place.width - left - right];
    const wide = place.width + 2;
    this.kernel.call.conv3x3(
      source + 4 * (top * wide + left) * inputs, wide * inputs, height, width, inputs, weights, bias,
      target + 4 * ((top + 1) * wide + left + 1) * out, wide * out, out, rectify, residual, this.scratch,
    );
  }

  // Run a 3 × 3 convolution over codes with their frame, into room for (height, width, out) numbers.
  convolveFramed({ inputs, out, weights, bias }, codes, { height, width }, target, rectify = 0) {
    this.kernel.call.conv3x3(
      codes, (width + 2) * inputs, height, width, inputs, weights, bias, target, width * out, out, rectify, 0,
      this.scratch,
    );
  }
}

// Number t of the 16 that Winograd's convolution multiplies with, G·g·Gᵀ, where g is GIVEN, 3 × 3
// weights; see kernel.c. Some hundred thousand are asked for at once, so nothing is made for them.
const GIVEN = new Float64Array(9);
const G = [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]];

function changed(t) {
  const [down, across] = [G[t >> 2], G[t & 3]];
  let sum = 0;
  for (let tap = 0; tap < 9; tap += 1) sum += down[Math.trunc(tap / 3)] * across[tap % 3] * GIVEN[tap];
  return sum;
}

// A value of 8 bits as the encoder reads it, in [-1, 1]; in float32, as Python reckons.
const SIGNED = Float32Array.from({ length: 256 }, (_, value) => (Math.fround(value / 255) - 0.5) / 0.5);

export function asInput(value) {
  return SIGNED[value];
}
