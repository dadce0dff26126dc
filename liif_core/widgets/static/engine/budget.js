// What the engine may hold in memory, and for what: all copies of a photo, latent codes, hidden maps.
import { COLOUR, filled } from "./encoder.js";
import { isHeat } from "./networks.js";
import { MARGIN, SIDE, TOGETHER, haloOf } from "./tiles.js";

const COMPUTER = 600 << 20; // bytes in all
const PHONE = 300 << 20;
const SMALL = 32 << 20; // of a worker with the small model; see workerNeeds
const COLOURS = 4; // numbers of a pixel that is read
const PYRAMID = 4 / 3; // a worker's copy of the photo, with its halves, quarters, …
const ENOUGH = 64 << 20; // for tiles; rather fewer workers than less
const MOST_TILES = 192 << 20;
const LEAST_TILES = 32 << 20;
export const GRAPHICS_MAPS = 16 << 20; // for hidden maps on the graphics processor
export const LEAST_CODES = 16 << 20; // that have to be left
const LARGEST = 50_000_000; // liif_core/pages/explained.py has the same limit

export function memoryHere() {
  const phone = navigator.userAgentData?.mobile ?? /Mobi/.test(navigator.userAgent);
  return phone ? PHONE : COMPUTER;
}

// What each worker needs beside its copy of the photo, for all models: weights as they are read and
// as the kernel multiplies with them, and what it takes to read tiles that lie together.
export function workerNeeds(configs) {
  return configs.reduce((sum, config) => {
    const { blocks } = config;
    const [channels, width] = [config.channels, isHeat(config) ? config.width : config.hidden[0]].map(filled);
    const convolutions = (2 * blocks + 1) * channels + width; // times the channels that each has
    const decoders = 4 * 16 * width * channels; // with and without the parts of one
    const weights = (16 + 9 + 9 / 2) * convolutions * channels + decoders;
    const codes = (TOGETHER * (SIDE + 2 * MARGIN)) ** 2 * channels;
    return sum + 4 * (weights + largestWindow(blocks) * (3 * channels + COLOURS) + codes);
  }, 2 << 20);
}

// What the graphics processor needs, of what latent codes had before.
export function graphicsNeeds(configs) {
  const reading = configs.map(({ blocks, channels }) => 4 * largestWindow(blocks) * (4 * channels + COLOURS));
  return GRAPHICS_MAPS + Math.max(...reading);
}

// Pixels of the largest window that is read, with its frame.
function largestWindow(blocks) {
  return (TOGETHER * SIDE + 2 * haloOf(2 * blocks + 2) + 2) ** 2;
}

// { workers, codes, maps }: how many workers, at most as many as wanted, and bytes for latent codes
// and for the hidden maps of each worker. Tiles beyond that are dropped, and read again. needs: of a
// worker.
export function budget({ height, width }, wanted, memory = memoryHere(), needs = SMALL) {
  const photo = 3 * height * width;
  const left = (workers) => memory - photo - workers * (needs + PYRAMID * photo);
  let workers = wanted;
  while (workers > 1 && left(workers) < ENOUGH) workers -= 1;
  const tiles = Math.min(MOST_TILES, Math.max(0, left(workers)));
  return { workers, codes: tiles / 2, maps: tiles / 2 / workers };
}

// The largest photo, in pixels, that leaves room for tiles.
export function largestPhoto(memory = memoryHere()) {
  return Math.min(LARGEST, Math.floor((memory - SMALL - LEAST_TILES) / (1 + PYRAMID) / 3));
}
