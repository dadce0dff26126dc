// A LIIF on the kernel: folded.py and ablation.py, arranged for a browser. A decoder with any of its parts
// switched off makes a hidden map of latent codes, and answers for a grid of outputs.
import { Encoder, VECTORS, filled } from "./encoder.js";
import { latticeTable } from "./lattices.js";

export class Network extends Encoder {
  // weights: see readWeights.
  constructor(kernel, weights) {
    super(kernel, weights);
    const { tensors, config } = this;
    const names = Object.keys(tensors).filter((name) => /^imnet\..*weight$/.test(name));
    this.linears = names
      .map((name) => Number(name.split(".")[2]))
      .sort((one, other) => one - other)
      .map((layer) => this.linear(layer));
    this.hidden = filled(this.linears[0].outputs);
    this.rest = this.packedRest();
    this.decoders = new Map(); // switches -> decoder
    this.noise = config.noise ? this.noiseTables(config.noise) : null;
  }

  linear(layer) {
    const { shape, values } = this.tensors[`imnet.layers.${layer}.weight`];
    const bias = this.tensor(`imnet.layers.${layer}.bias`);
    return { outputs: shape[0], inputs: shape[1], weight: values, bias };
  }

  // The decoder's layers after the first: an array of Layer in kernel.c.
  packedRest() {
    const table = [];
    const rest = this.linears.slice(1);
    for (const [number, { outputs, inputs, weight, bias }] of rest.entries()) {
      const lanes = number === rest.length - 1 ? 4 : VECTORS;
      const [out, width] = [lanes === 4 ? 4 : filled(outputs), filled(inputs)];
      const weights = new Float32Array(out * width);
      for (let o = 0; o < outputs; o += 1) {
        const block = Math.floor(o / lanes) * width;
        for (let i = 0; i < inputs; i += 1) {
          weights[(block + i) * lanes + (o % lanes)] = weight[o * inputs + i];
        }
      }
      table.push(this.kernel.put(weights), this.put(bias, out), width, out);
    }
    return { count: rest.length, start: this.kernel.put(Int32Array.from(table)) };
  }

  // A decoder; side: the explorer's, of which the switches count. See ablation.py.
  decoder(side) {
    const [ensemble, unfolding, cell] = this.switches(side);
    const name = JSON.stringify([unfolding, cell]);
    if (!this.decoders.has(name)) this.decoders.set(name, this.folded(unfolding, cell));
    return { ...this.decoders.get(name), ensemble, name };
  }

  switches(side) {
    return ["local_ensemble", "feature_unfolding", "cell_decoding"].map(
      (name) => this.config[name] && side[name],
    );
  }

  // The first layer as a convolution, and its tables of δ and cell: FoldedDecoder.
  folded(unfolding, cell) {
    const { channels, feature_unfolding: wide, cell_decoding: sized } = this.config;
    const { outputs, inputs, weight, bias } = this.linears[0];
    const taps = wide ? 9 : 1;
    const features = channels * taps;
    const at = (o, i, tap) => {
      if (tap !== 4 && !(wide && unfolding)) return 0;
      return weight[o * inputs + i * taps + (wide ? tap : 0)];
    };
    const beside = (column) => Float32Array.from({ length: outputs }, (_, o) => weight[o * inputs + column]);
    const tables = [0, 1].map((axis) => beside(features + axis));
    return {
      first: this.packed(at, bias, outputs, channels, this.channels),
      delta: tables.map((table) => this.put(table, this.hidden)),
      cell: cell && sized ? [2, 3].map((axis) => beside(features + axis)) : null,
    };
  }

  // What the first layer makes of noise: (channels, hidden); and where the channels' lattices are.
  noiseTables(channels) {
    const { outputs, inputs, weight } = this.linears[0];
    const table = new Float32Array(channels * this.hidden);
    for (let n = 0; n < channels; n += 1) {
      for (let o = 0; o < outputs; o += 1) table[n * this.hidden + o] = weight[(o + 1) * inputs - channels + n];
    }
    return { channels, weights: this.kernel.put(table), lattices: this.kernel.putDoubles(latticeTable(channels)) };
  }

  get localColour() {
    return this.config.local_colour;
  }

  // What one code alone says, in [-1, 1], without local colour, in plain JavaScript. hidden: its part of the
  // hidden map; sides: of the cell, in photo pixels × 2; noise: what is read of it.
  answerAlone(decoder, hidden, delta, sides, noise = []) {
    const { weight, inputs, outputs } = this.linears[0];
    const features = inputs - (this.config.cell_decoding ? 4 : 2) - noise.length;
    const given = [...delta, ...(this.config.cell_decoding ? sides.map((side) => (decoder.cell ? side : 0)) : [])];
    given.push(...noise);
    let x = Array.from({ length: outputs }, (_, k) => {
      const beside = weight.subarray(k * inputs + features, (k + 1) * inputs);
      return given.reduce((sum, value, i) => sum + value * beside[i], hidden[k]);
    });
    for (const layer of this.linears.slice(1)) {
      const before = x.map((value) => Math.max(0, value));
      x = Array.from(layer.bias, (bias, o) =>
        before.reduce((sum, value, i) => sum + value * layer.weight[o * layer.inputs + i], bias),
      );
    }
    return x;
  }

  // ---- what it computes; all within kernel.within, or into memory that is kept

  // Make a hidden map of codes with their frame, into room for (height, width, hidden) numbers.
  hiddenMap(decoder, codes, extent, target) {
    this.convolveFramed(decoder.first, codes, extent, target);
  }

  // Read noise at every crossing of rows and columns, in photo pixels; side: of an output. Returns where
  // (rows, columns, channels) floats begin.
  noiseAt([rows, cols], side, seed) {
    const { kernel, noise: { channels, lattices } } = this;
    const read = kernel.room(rows.length * cols.length * channels);
    const [y, x] = [kernel.putDoubles(rows), kernel.putDoubles(cols)];
    kernel.call.noise_field(lattices, channels, y, rows.length, x, cols.length, side, seed, read);
    return read;
  }

  // Answer for down × across (see axisNeighbours) from a tile { hidden, colours, width }. cell: of
  // an output, in photo pixels × 2; places: of the outputs in photo pixels, and seed, where noise is
  // read. Returns where (h, w, 4) floats begin.
  decode(decoder, tile, down, across, { cell, places, seed }) {
    const { kernel, rest, hidden, config, noise } = this;
    const term = new Float32Array(hidden);
    if (decoder.cell) {
      const [rows, cols] = decoder.cell;
      rows.forEach((row, k) => (term[k] = cell[0] * row + cell[1] * cols[k]));
    }
    const local = config.local_colour ? 1 : 0;
    const side = Math.sqrt(cell[0] * cell[1]) / 2;
    const read = noise ? this.noiseAt(places, side, seed ?? config.seed) : 0;
    const parts = [rest.start, ...decoder.delta, kernel.put(term), rest.count, hidden, local];
    const [weights, channels] = noise ? [noise.weights, noise.channels] : [0, 0];
    const asked = [
      this.table([...parts, weights, channels]), this.table([tile.hidden, tile.colours, tile.width]),
      this.axis(down), this.axis(across), read,
    ];
    const widest = Math.max(...this.linears.map(({ outputs }) => filled(outputs)));
    const scratch = kernel.room(19 * (widest + 4) + across.outputs);
    const answers = kernel.room(4 * down.outputs * across.outputs);
    kernel.call.decode(...asked, widest, scratch, answers);
    return answers;
  }
}
