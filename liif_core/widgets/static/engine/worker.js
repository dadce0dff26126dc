// One of the engine's workers: reads tiles, and answers for parts of results. It has a kernel with
// memory of its own, the photo, and the hidden maps of the tiles that it was asked about last.
import { COLOUR, asInput } from "./encoder.js";
import { along, axisNeighbours, positions } from "./grid.js";
import { Kept } from "./kept.js";
import { Kernel } from "./kernel.js";
import { networkOf } from "./networks.js";
import { Pyramid, cut } from "./resample.js";
import { MARGIN, SIDE, extent, haloOf, reach, windowOf } from "./tiles.js";
import { readWeights } from "./weights.js";
import { explain } from "./xray.js";

class Station {
  // module: the kernel; weights: name -> bytes; memory: for hidden maps.
  load({ module, weights, memory }) {
    this.memory = memory;
    this.networks = {};
    this.maps = null;
    for (const [name, bytes] of Object.entries(weights)) {
      this.networks[name] = networkOf(new Kernel(module), readWeights(bytes));
    }
  }

  // { height, width, rgb, number }
  open(photo) {
    this.photo = photo;
    this.size = [photo.height, photo.width];
    this.pyramid = new Pyramid(photo);
    this.maps ??= {}; // of each network: its hidden maps, and the room for more
    for (const [name, { hidden }] of Object.entries(this.networks)) {
      const size = (SIDE + 2 * MARGIN) ** 2 * (hidden + COLOUR);
      const most = Math.max(1, Math.floor(this.memory / Object.keys(this.networks).length / 4 / size));
      this.maps[name] ??= { kept: new Kept(most), free: [], size };
      this.maps[name].free.push(...this.maps[name].kept.clear());
    }
  }

  // The latent codes of tiles that lie together: of each (height, width, channels) of
  // `reach(tile, MARGIN)`.
  read({ method, tiles }) {
    const network = this.networks[method];
    const { kernel } = network;
    const window = windowOf(tiles, haloOf(network.radius), this.size);
    const photo = cut(this.photo, ...window.spans);
    const result = kernel.within(() => {
      const codes = network.encode(photo.rgb, photo.height, photo.width, window.cut);
      return tiles.map((tile) => this.codesOf(tile, network, codes, window.spans));
    });
    return { result, transfer: result.map(({ buffer }) => buffer) };
  }

  // codes: where those of the window begin, with their frame.
  codesOf(tile, { kernel, channels }, codes, [rows, cols]) {
    const wanted = reach(tile, MARGIN, this.size);
    const { height, width } = extent(wanted);
    const found = new Float32Array(height * width * channels);
    const [down, right] = [wanted[0][0] - rows[0] + 1, wanted[1][0] - cols[0] + 1];
    for (let y = 0; y < height; y += 1) {
      const from = codes + 4 * ((y + down) * (cols[1] - cols[0] + 2) + right) * channels;
      found.set(kernel.floats(from, width * channels), y * width * channels);
    }
    return found;
  }

  // Rows and columns of a result that one tile answers for: (rows, columns, 4) in 8 bits. Without
  // the tile's codes, null where its hidden map is not at hand.
  decode({ method, side, tile, grid, rows, cols, codes }) {
    const network = this.networks[method];
    const { kernel } = network;
    const decoder = network.decoder(side);
    const found = this.hiddenMap(network, decoder, { method, tile, codes });
    if (!found) return { result: null };
    const spans = [rows, cols];
    const [down, across] = spans.map((span, axis) => {
      const place = { ensemble: decoder.ensemble, origin: found.origin[axis] };
      return axisNeighbours(grid, axis, span, this.size[axis], place);
    });
    const cell = [0, 1].map((axis) => 2 * along(grid, axis).step);
    const places = spans.map((span, axis) => positions(grid, axis, span));
    const pixels = down.outputs * across.outputs;
    const rgba = kernel.within(() => {
      const answers = network.decode(decoder, found, down, across, { cell, places, seed: side.seed });
      const out = kernel.room(pixels);
      kernel.call.eight_bits(answers, pixels, out);
      return new Uint8Array(kernel.memory.buffer, out, 4 * pixels).slice();
    });
    return { result: rgba, transfer: [rgba.buffer] };
  }

  hiddenMap(network, decoder, { method, tile, codes }) {
    const { kernel, hidden, channels } = network;
    const maps = this.maps[method];
    const key = `${decoder.name} ${tile}`;
    const place = reach(tile, MARGIN, this.size);
    const { height, width } = extent(place);
    let start = maps.kept.find(key);
    if (start === undefined) {
      if (!codes) return null;
      start = maps.free.pop() ?? kernel.room(maps.size);
      maps.free.push(...maps.kept.keep(key, start, 1));
      kernel.within(() => {
        const framed = network.framed({ height, width }, channels);
        for (let y = 0; y < height; y += 1) {
          const row = codes.subarray(y * width * channels, (y + 1) * width * channels);
          kernel.floats(framed + 4 * ((y + 1) * (width + 2) + 1) * channels, row.length).set(row);
        }
        network.hiddenMap(decoder, framed, { height, width }, start);
      });
      this.putColours(kernel, start + 4 * height * width * hidden, place);
    }
    const origin = place.map(([first]) => first);
    return { hidden: start, colours: start + 4 * height * width * hidden, width, origin };
  }

  putColours(kernel, start, [rows, cols]) {
    const { rgb } = cut(this.photo, rows, cols);
    const numbers = kernel.floats(start, (rgb.length / 3) * COLOUR);
    for (let at = 0; at < rgb.length / 3; at += 1) {
      for (let k = 0; k < 3; k += 1) numbers[at * COLOUR + k] = asInput(rgb[at * 3 + k]);
      numbers[at * COLOUR + 3] = 0;
    }
  }

  // The same by a method without learning.
  resize({ grid, method, rows, cols }) {
    const { rgb } = this.pyramid.part(grid, method, rows, cols);
    const rgba = new Uint8Array((rgb.length / 3) * 4).fill(255);
    for (let at = 0; at < rgb.length / 3; at += 1) {
      for (let k = 0; k < 3; k += 1) rgba[at * 4 + k] = rgb[at * 3 + k];
    }
    return { result: rgba, transfer: [rgba.buffer] };
  }

  explain({ side, coord, cell }) {
    const network = this.networks[side.method];
    const halo = haloOf(network.radius);
    return { result: explain(network, this.photo, side, { coord, cell, halo }) };
  }
}

const station = new Station();

self.onmessage = ({ data: { id, call, fields } }) => {
  try {
    const other = "photo" in fields && fields.photo !== station.photo.number;
    if (other) throw new Error("another photo was opened");
    const { result, transfer = [] } = station[call](fields) ?? {};
    self.postMessage({ id, result }, transfer);
  } catch (error) {
    self.postMessage({ id, failed: error.message });
  }
};
