// What the engine may hold in memory, and for what: all copies of a photo, latent codes, hidden maps.
const COMPUTER = 600 << 20; // bytes in all
const PHONE = 300 << 20;
const WORKER = 32 << 20; // of each worker: weights, and what reading a tile takes
const PYRAMID = 4 / 3; // a worker's copy of the photo, with its halves, quarters, …
const ENOUGH = 64 << 20; // for tiles; rather fewer workers than less
const MOST_TILES = 192 << 20;
const LEAST_TILES = 32 << 20;
export const GRAPHICS = 64 << 20; // for the graphics processor, of what latent codes had before
export const GRAPHICS_MAPS = 24 << 20; // of these, for hidden maps; the rest is what reading takes
export const LEAST_CODES = 16 << 20; // that have to be left
const LARGEST = 50_000_000; // liif_core/pages/explained.py has the same limit

export function memoryHere() {
  const phone = navigator.userAgentData?.mobile ?? /Mobi/.test(navigator.userAgent);
  return phone ? PHONE : COMPUTER;
}

// { workers, codes, maps }: how many workers, at most as many as wanted, and bytes for latent codes
// and for the hidden maps of each worker. Tiles beyond that are dropped, and read again.
export function budget({ height, width }, wanted, memory = memoryHere()) {
  const photo = 3 * height * width;
  const left = (workers) => memory - photo - workers * (WORKER + PYRAMID * photo);
  let workers = wanted;
  while (workers > 1 && left(workers) < ENOUGH) workers -= 1;
  const tiles = Math.min(MOST_TILES, Math.max(0, left(workers)));
  return { workers, codes: tiles / 2, maps: tiles / 2 / workers };
}

// The largest photo, in pixels, that leaves room for tiles.
export function largestPhoto(memory = memoryHere()) {
  return Math.min(LARGEST, Math.floor((memory - WORKER - LEAST_TILES) / (1 + PYRAMID) / 3));
}
