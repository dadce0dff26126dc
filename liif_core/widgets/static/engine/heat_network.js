// A heat field on the kernel: heat_grid.py, arranged for a browser. Of latent codes it writes down fields,
// which take the place of a hidden map, and it asks them for a grid of outputs. Where fields depend on the
// pixel's side, the map holds what they are written from, and they are written for each question.
import { COLOUR, Encoder, filled } from "./encoder.js";

const LANES = 4;

export class HeatNetwork extends Encoder {
  // weights: see readWeights.
  constructor(kernel, weights) {
    super(kernel, weights);
    const { width, waves, depth, powers } = this.config;
    this.waves = waves;
    this.room = Math.ceil(waves / LANES) * LANES; // waves of the kernel: whole vectors
    this.field = filled(COLOUR + 6 * this.room); // numbers of a field
    this.width = filled(width);
    this.hidden = powers ? this.width : this.field;
    this.kappa = Math.exp(this.tensor("log_kappa")[0]);
    this.first = this.convolution("writer.0", this.channels);
    const layer = (number) => `writer.${2 * number}`; // between them stand ReLUs
    this.between = Array.from({ length: depth }, (_, k) => this.pointwise(layer(k + 1), this.width, (o) => o));
    this.end = layer(depth + 1);
    if (!powers) this.last = this.pointwise(this.end, this.field, (o) => this.place(o));
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
  pointwise(name, out, place, { shape: [outputs, inputs], values, bias: given } = this.layer(name)) {
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

  layer(name) {
    const { shape, values } = this.tensors[`${name}.weight`];
    return { shape, values, bias: this.tensor(`${name}.bias`) };
  }

  // The writer's last layer for pixels of one size: layer_for in heat_grid.py. sides: in photo pixels × 2.
  lastFor(decoder, sides) {
    const { shape: [, inputs], values, bias } = this.layer(this.end);
    const side = decoder.cell ? Math.min(1, Math.sqrt(Math.abs(sides[0] * sides[1])) / 2) : 0;
    const each = 1 + 2 * this.waves;
    const mixed = { shape: [3 * each, inputs], values: new Float32Array(3 * each * inputs), bias: new Float32Array(3 * each) };
    const parts = this.config.powers + 1;
    for (let o = 0; o < 3 * each; o += 1) {
      for (let power = 0, share = 1; power < parts; power += 1, share *= side) {
        const from = (Math.floor(o / each) * parts + power) * each + (o % each);
        mixed.bias[o] += share * bias[from];
        for (let i = 0; i < inputs; i += 1) mixed.values[o * inputs + i] += share * values[from * inputs + i];
      }
    }
    return mixed;
  }

  // A decoder; side: the explorer's. All have the same fields.
  decoder(side) {
    const [ensemble, cell] = ["local_ensemble", "cell_decoding"].map((name) => this.config[name] && side[name]);
    return { ensemble, cell, name: "" };
  }

  get localColour() {
    return true;
  }

  // What one code alone says: see Network. hidden: its part of the map.
  answerAlone(decoder, hidden, delta, sides) {
    const left = this.damping(decoder, sides);
    const omega = this.tensor("omega");
    const field = this.config.powers ? this.fieldAlone(decoder, hidden, sides) : hidden;
    const said = [...field.subarray(0, 3)];
    for (let k = 0; k < this.waves; k += 1) {
      const phase = (omega[2 * k] * delta[0] + omega[2 * k + 1] * delta[1]) / 2;
      for (let colour = 0; colour < 3; colour += 1) {
        const [a, b] = [colour, 3 + colour].map((row) => field[COLOUR + row * this.room + k]);
        said[colour] += left[k] * (a * Math.sin(phase) + b * Math.cos(phase));
      }
    }
    return said;
  }

  // A code's field for pixels of one size, in plain JavaScript.
  fieldAlone(decoder, hidden, sides) {
    const { shape: [outputs, inputs], values, bias } = this.lastFor(decoder, sides);
    const field = new Float32Array(this.field);
    for (let o = 0; o < outputs; o += 1) {
      const weights = values.subarray(o * inputs, (o + 1) * inputs);
      field[this.place(o)] = weights.reduce((sum, weight, i) => sum + weight * hidden[i], bias[o]);
    }
    return field;
  }

  // ---- what it computes; all within kernel.within, or into memory that is kept

  // Write fields of codes with their frame, or what they are written from, into room for (height, width,
  // hidden) numbers.
  hiddenMap(_decoder, codes, { height, width }, target) {
    const { kernel, last } = this;
    const pixels = height * width;
    kernel.within(() => {
      const count = this.between.length + (last ? 1 : 0);
      const rooms = Array.from({ length: Math.min(count, 2) }, () => kernel.room(pixels * this.width));
      const to = (layer) => (layer === count ? target : rooms[layer % 2]); // what layer 0, 1, … writes to
      this.convolveFramed(this.first, codes, { height, width }, to(0), 1);
      for (const [at, between] of this.between.entries()) this.through(between, to(at), pixels, to(at + 1), 1);
      if (last) this.through(last, to(count - 1), pixels, target, 0);
    });
  }

  through({ weights, bias, out }, from, pixels, to, rectify) {
    this.kernel.call.conv1x1(from, pixels, this.width, weights, bias, to, out, rectify);
  }

  // The part of a tile that is asked, its fields written for pixels of one size: [tile, down].
  written(decoder, tile, down, cell) {
    if (!this.config.powers) return [tile, down];
    const { kernel } = this;
    const first = down.index.reduce((one, other) => Math.min(one, other));
    const rows = down.index.reduce((one, other) => Math.max(one, other)) + 1 - first;
    const last = this.pointwise(this.end, this.field, (o) => this.place(o), this.lastFor(decoder, cell));
    const fields = kernel.room(rows * tile.width * this.field);
    const skipped = 4 * first * tile.width;
    this.through(last, tile.hidden + skipped * this.hidden, rows * tile.width, fields, 0);
    const part = { hidden: fields, colours: tile.colours + skipped * COLOUR, width: tile.width };
    return [part, { ...down, index: down.index.map((row) => row - first) }];
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
  decode(decoder, whole, rows, across, { cell }) {
    const { kernel } = this;
    const [tile, down] = this.written(decoder, whole, rows, cell);
    const tables = [
      ...this.wavesAlong(down, 0, this.damping(decoder, cell)),
      ...this.wavesAlong(across, 1, new Float64Array(this.waves).fill(1)),
    ];
    const waves = this.table([...tables, this.room, this.field]);
    const asked = [this.table([tile.hidden, tile.colours, tile.width]), this.axis(down), this.axis(across)];
    const answers = kernel.room(4 * down.outputs * across.outputs);
    kernel.call.decode_waves(waves, ...asked, answers);
    return answers;
  }
}
