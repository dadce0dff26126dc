// A heat field on the kernel: heat_grid.py, arranged for a browser. Of latent codes it writes down fields,
// which take the place of a hidden map, and it asks them for a grid of outputs.
import { COLOUR, Encoder, filled } from "./encoder.js";

const LANES = 4;

export class HeatNetwork extends Encoder {
  // weights: see readWeights.
  constructor(kernel, weights) {
    super(kernel, weights);
    const { width, waves, depth } = this.config;
    this.waves = waves;
    this.room = Math.ceil(waves / LANES) * LANES; // waves of the kernel: whole vectors
    this.hidden = filled(COLOUR + 6 * this.room); // numbers of a field
    this.width = filled(width);
    this.kappa = Math.exp(this.tensor("log_kappa")[0]);
    this.first = this.convolution("writer.0", this.channels);
    const layer = (number) => `writer.${2 * number}`; // between them stand ReLUs
    this.between = Array.from({ length: depth }, (_, k) => this.pointwise(layer(k + 1), this.width, (o) => o));
    this.last = this.pointwise(layer(depth + 1), this.hidden, (o) => this.place(o));
  }

  // Where the kernel has number o of a field: three constants, then a and then b of the colours.
  place(o) {
    const each = 1 + 2 * this.waves;
    const [colour, at] = [Math.floor(o / each), o % each];
    if (at === 0) return colour;
    const [second, wave] = [Math.floor((at - 1) / this.waves), (at - 1) % this.waves];
    return COLOUR + (3 * second + colour) * this.room + wave;
  }

  // A convolution of one pixel, its outputs where `place` says.
  pointwise(name, out, place) {
    const { shape: [outputs, inputs], values } = this.tensors[`${name}.weight`];
    const given = this.tensor(`${name}.bias`);
    const weights = new Float32Array(out * this.width);
    const bias = new Float32Array(out);
    for (let o = 0; o < outputs; o += 1) {
      const to = place(o);
      bias[to] = given[o];
      const block = Math.floor(to / 8) * this.width * 8;
      for (let i = 0; i < inputs; i += 1) weights[block + i * 8 + (to % 8)] = values[o * inputs + i];
    }
    return { out, weights: this.kernel.put(weights), bias: this.kernel.put(bias) };
  }

  // A decoder; side: the explorer's. All have the same fields.
  decoder(side) {
    const [ensemble, cell] = ["local_ensemble", "cell_decoding"].map((name) => this.config[name] && side[name]);
    return { ensemble, cell, name: "" };
  }

  get localColour() {
    return true;
  }

  // What one code alone says: see Network. hidden: its field.
  answerAlone(decoder, hidden, delta, sides) {
    const left = this.damping(decoder, sides);
    const omega = this.tensor("omega");
    const said = [...hidden.subarray(0, 3)];
    for (let k = 0; k < this.waves; k += 1) {
      const phase = (omega[2 * k] * delta[0] + omega[2 * k + 1] * delta[1]) / 2;
      for (let colour = 0; colour < 3; colour += 1) {
        const [a, b] = [colour, 3 + colour].map((row) => hidden[COLOUR + row * this.room + k]);
        said[colour] += left[k] * (a * Math.sin(phase) + b * Math.cos(phase));
      }
    }
    return said;
  }

  // ---- what it computes; all within kernel.within, or into memory that is kept

  // Write fields of codes with their frame, into room for (height, width, hidden) numbers.
  hiddenMap(_decoder, codes, { height, width }, target) {
    const { kernel } = this;
    const pixels = height * width;
    kernel.within(() => {
      let [one, other] = [0, 1].map(() => kernel.room(pixels * this.width));
      this.convolveFramed(this.first, codes, { height, width }, one, 1);
      const through = (layer, from, to, rectify) =>
        kernel.call.conv1x1(from, pixels, this.width, layer.weights, layer.bias, to, layer.out, rectify);
      for (const between of this.between) {
        through(between, one, other, 1);
        [one, other] = [other, one];
      }
      through(this.last, one, target, 0);
    });
  }

  // What the cell leaves of each wave; cell: in photo pixels × 2.
  damping(decoder, cell) {
    const omega = this.tensor("omega");
    const { falloff } = this.config;
    return Float64Array.from({ length: this.waves }, (_, k) => {
      const [y, x] = [0, 1].map((axis) => (decoder.cell ? (omega[2 * k + axis] * cell[axis]) / 2 : 0));
      return Math.exp(-this.kappa * (Math.abs(y) ** falloff + Math.abs(x) ** falloff));
    });
  }

  // Sine and cosine of each wave where the outputs of an axis stand, seen from their codes.
  wavesAlong({ delta }, axis, factors) {
    const omega = this.tensor("omega");
    const [sin, cos] = [0, 1].map(() => new Float32Array(delta.length * this.room));
    for (let at = 0; at < delta.length; at += 1) {
      for (let k = 0; k < this.waves; k += 1) {
        const phase = (omega[2 * k + axis] * delta[at]) / 2;
        sin[at * this.room + k] = Math.sin(phase) * factors[k];
        cos[at * this.room + k] = Math.cos(phase) * factors[k];
      }
    }
    return [this.kernel.put(sin), this.kernel.put(cos)];
  }

  // Answer for down × across; see Network.decode. There is no noise.
  decode(decoder, tile, down, across, { cell }) {
    const { kernel } = this;
    const rows = this.wavesAlong(down, 0, this.damping(decoder, cell));
    const cols = this.wavesAlong(across, 1, new Float64Array(this.waves).fill(1));
    const waves = this.table([...rows, ...cols, this.room, this.hidden]);
    const asked = [this.table([tile.hidden, tile.colours, tile.width]), this.axis(down), this.axis(across)];
    const answers = kernel.room(4 * down.outputs * across.outputs);
    kernel.call.decode_waves(waves, ...asked, answers);
    return answers;
  }
}
