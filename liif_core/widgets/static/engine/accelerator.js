// The graphics processor, answering what a worker is asked: reads tiles, and answers for parts of
// results (Station in worker.js). It does one thing after the other. Where it fails, who asked turns
// to a worker.
import { Graphics, GraphicsNetwork } from "./graphics_network.js";
import { along, axisNeighbours } from "./grid.js";
import { Kept } from "./kept.js";
import { COLOUR, asInput } from "./encoder.js";
import { cut } from "./resample.js";
import { MARGIN, SIDE, extent, haloOf, reach, windowOf } from "./tiles.js";
import { readWeights } from "./weights.js";

const ANSWERED = { read: "read", decode: "decode" };
const CODES_NEAR = 1e-3; // of what is 1 or more, and of 1 for what is less
const SHADES_NEAR = 1; // of 255
const WHOLE_SIDE = { local_ensemble: true, feature_unfolding: true, cell_decoding: true };

// The adapter of a real graphics processor, or null; emulated: one that a program plays will do.
export async function adapterHere(emulated) {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  const played = adapter?.info?.isFallbackAdapter ?? adapter?.isFallbackAdapter;
  return adapter && (played === false || emulated) ? adapter : null;
}

export class Accelerator {
  // weights: name -> bytes; memory: bytes for hidden maps.
  constructor(device, weights, memory) {
    this.graphics = new Graphics(device);
    const entries = Object.entries(weights).map(([name, bytes]) =>
      [name, new GraphicsNetwork(this.graphics, readWeights(bytes))]);
    this.networks = Object.fromEntries(entries);
    this.maps = new Kept(memory);
    this.turn = Promise.resolve();
  }

  // { height, width, rgb, number }
  open(photo) {
    this.photo = photo;
    this.size = [photo.height, photo.width];
    this.turn = this.turn.then(() => this.maps.clear().forEach(dropped));
  }

  answers(call) {
    return Object.hasOwn(ANSWERED, call);
  }

  // Promise what a worker would say.
  ask(call, fields) {
    const answer = this.turn.then(() => this.checked(call, fields));
    this.turn = answer.catch(() => {});
    return answer;
  }

  // What goes wrong on the device, it does not throw.
  async checked(call, fields) {
    if (fields.photo !== this.photo.number) throw new Error("another photo was opened");
    const { device } = this.graphics;
    const kinds = ["out-of-memory", "validation", "internal"];
    for (const kind of kinds) device.pushErrorScope(kind);
    const answer = this.graphics.within(() => this[ANSWERED[call]](fields));
    const [{ reason }] = await Promise.allSettled([answer]);
    const wrong = [reason, ...(await Promise.all(kinds.map(() => device.popErrorScope())))].find(Boolean);
    if (!wrong) return answer;
    this.maps.clear().forEach(dropped); // one of them may be wrong
    throw new Error(wrong.message);
  }

  async read({ method, tiles }) {
    const network = this.networks[method];
    const { spans: [rows, cols] } = windowOf(tiles, haloOf(network.radius), this.size);
    const { rgb, height, width } = cut(this.photo, rows, cols);
    const codes = new Float32Array(await this.graphics.read(network.encode(rgb, height, width)));
    return tiles.map((tile) => {
      const place = reach(tile, MARGIN, this.size);
      const corner = [place[0][0] - rows[0] + 1, place[1][0] - cols[0] + 1];
      return copied(codes, width + 2, corner, extent(place), network.channels);
    });
  }

  // Without the tile's codes, null where its hidden map is not at hand.
  async decode({ method, side, tile, grid, rows, cols, codes }) {
    const network = this.networks[method];
    const decoder = network.decoder(side);
    const found = this.hiddenMap(network, decoder, { method, tile, codes });
    if (!found) return null;
    const [down, across] = [rows, cols].map((span, axis) => {
      const place = { ensemble: decoder.ensemble, origin: found.origin[axis] };
      return axisNeighbours(grid, axis, span, this.size[axis], place);
    });
    const cell = [0, 1].map((axis) => 2 * along(grid, axis).step);
    return new Uint8Array(await this.graphics.read(network.decode(decoder, found, down, across, cell)));
  }

  hiddenMap(network, decoder, { method, tile, codes }) {
    const key = `${method} ${decoder.name} ${tile}`;
    const at = this.maps.find(key);
    if (at || !codes) return at;
    const { graphics } = this;
    const place = reach(tile, MARGIN, this.size);
    const { height, width } = extent(place);
    const { rgb } = cut(this.photo, ...place);
    const pixels = Float32Array.from({ length: height * width * COLOUR }, (_, k) =>
      k % COLOUR < 3 ? asInput(rgb[(k >> 2) * 3 + (k % COLOUR)]) : 0);
    const hidden = graphics.put(new Float32Array(height * width * network.hidden));
    const map = { hidden, colours: graphics.put(pixels), width, origin: place.map(([first]) => first) };
    const given = graphics.lent(framed(codes, height, width, network.channels));
    network.hiddenMap(decoder, given, { height, width }, hidden);
    this.maps.keep(key, map, map.hidden.size + map.colours.size).forEach(dropped);
    return map;
  }

  stop() {
    this.graphics.device.destroy();
  }
}

function dropped({ hidden, colours }) {
  hidden.destroy();
  colours.destroy();
}

// Part of an image of so many pixels a row.
function copied(image, row, [top, left], { height, width }, channels) {
  const found = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y += 1) {
    const from = ((y + top) * row + left) * channels;
    found.set(image.subarray(from, from + width * channels), y * width * channels);
  }
  return found;
}

// An image on a frame of zeros, one pixel wide.
function framed(image, height, width, channels) {
  const found = new Float32Array((height + 2) * (width + 2) * channels);
  for (let y = 0; y < height; y += 1) {
    const row = image.subarray(y * width * channels, (y + 1) * width * channels);
    found.set(row, ((y + 1) * (width + 2) + 1) * channels);
  }
  return found;
}

// Ask it and a worker for the middle of the photo, by every model; fail where they differ.
export async function checkAgainst(explored, accelerator) {
  const tile = explored.size.map((pixels) => Math.floor(pixels / 2 / SIDE));
  const [top, left] = tile.map((index) => index * SIDE);
  const [bottom, right] = [top, left].map((first, axis) => Math.min(explored.size[axis], first + 4));
  const grid = { height: 20, width: 24, box: [left, top, right, bottom] };
  for (const method of Object.keys(explored.models)) {
    const side = { ...WHOLE_SIDE, method };
    const codes = await explored.codesOf(tile, side);
    const asked = { method, side, tile, grid, rows: [0, 20], cols: [0, 24], codes, photo: explored.number };
    const [read] = await accelerator.ask("read", { method, tiles: [tile], photo: explored.number });
    const shown = await accelerator.ask("decode", asked);
    const expected = await explored.pool.ask(explored.pool.idlest(), "decode", asked);
    const near = (value, at) => Math.abs(value - codes[at]) <= CODES_NEAR * Math.max(1, Math.abs(codes[at]));
    if (!read.every(near) || !shown.every((value, at) => Math.abs(value - expected[at]) <= SHADES_NEAR)) {
      throw new Error("it answers otherwise than this machine's cores");
    }
  }
}
