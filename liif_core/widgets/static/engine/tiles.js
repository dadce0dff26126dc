// The tiles of a photo, as tiles.py cuts them: each is read with a halo as wide as the encoder
// reaches, so that its latent codes are those of the whole photo.
import { tileSpans } from "./grid.js";

export const SIDE = 48; // photo pixels along a tile's side
export const TOGETHER = 3; // tiles along a side that are read as one: their halos are read once
const UNFOLDING = 1; // how far a code's neighbourhood reaches
export const MARGIN = UNFOLDING + 1; // the neighbouring code, and its neighbours

// How many pixels around a tile the encoder reads; radius: how far it reaches.
export function haloOf(radius) {
  return radius + UNFOLDING + 1;
}

// [first, after the last] of a tile's rows and columns, widened, and cut off at the photo's border.
export function reach(tile, margin, size) {
  return tile.map((index, axis) => [
    Math.max(0, index * SIDE - margin),
    Math.min(size[axis], (index + 1) * SIDE + margin),
  ]);
}

export function extent([[top, bottom], [left, right]]) {
  return { height: bottom - top, width: right - left };
}

// The parts of a result that each tile answers for: { tile, rows, cols }.
export function partsOf(grid, rows, cols, size) {
  const down = tileSpans(grid, 0, rows, size[0], SIDE);
  const across = tileSpans(grid, 1, cols, size[1], SIDE);
  return down.flatMap(([row, ...spanDown]) =>
    across.map(([col, ...spanAcross]) => ({ tile: [row, col], rows: spanDown, cols: spanAcross })),
  );
}

// [first, after the last] of the rows and columns of all tiles in a list.
function around(tiles) {
  return [0, 1].map((axis) => {
    const places = tiles.map((tile) => tile[axis]);
    return [Math.min(...places), Math.max(...places) + 1];
  });
}

// Tiles in lists that are read together; at least `count` of them, if there are so many tiles.
export function together(tiles, count) {
  const lists = [tiles];
  for (;;) {
    const sides = lists.map((list) => around(list).map(([first, last]) => last - first));
    const longest = sides.map((both) => Math.max(...both));
    const at = longest.indexOf(Math.max(...longest));
    if (longest[at] === 1 || (longest[at] <= TOGETHER && lists.length >= count)) return lists;
    const axis = sides[at].indexOf(longest[at]);
    const middle = around(lists[at])[axis][0] + Math.ceil(longest[at] / 2);
    const before = (tile) => tile[axis] < middle;
    lists.splice(at, 1, lists[at].filter(before), lists[at].filter((tile) => !before(tile)));
  }
}

// The window that is read for tiles in a list: [first, after the last] of its rows and columns,
// `margin` around the tiles; and where the photo goes on beyond it: 1, otherwise 0.
export function windowOf(tiles, margin, size) {
  const spans = around(tiles).map(([first, last], axis) => [
    Math.max(0, first * SIDE - margin),
    Math.min(size[axis], last * SIDE + margin),
  ]);
  return { spans, cut: spans.map(([first, last], axis) => [Number(first > 0), Number(last < size[axis])]) };
}

// Every tile of a photo.
export function allTiles(size) {
  const [rows, cols] = size.map((pixels) => Math.ceil(pixels / SIDE));
  return Array.from({ length: rows * cols }, (_, at) => [Math.floor(at / cols), at % cols]);
}

// How far a tile's middle is from the middle of a view, in photo pixels.
export function distance(tile, view) {
  const apart = tile.map((index, axis) => {
    const middle = ((view.centre[axis] + 1) / 2) * view.photo[axis];
    return (index + 0.5) * SIDE - middle;
  });
  return Math.hypot(...apart);
}
