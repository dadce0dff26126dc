// What the explorer asks and is answered: messages.py, for an engine in the browser. Each function
// promises [fields, pictures]; liif_core/explorer/QUESTIONS.md lists the fields. Pictures stay on the
// page, so they are pixels: what was packed into a PNG would be unpacked at once.
import { viewport } from "../zoom_viewport.js";
import { paste } from "./explored.js";
import { gridOf } from "./grid.js";

const COARSE_PIXELS = 80_000; // screen pixels of a coarse picture, at most
const OVERVIEW = 320; // pixels along the longer side of the overview
const BICUBIC = { method: "bicubic" };

const viewOf = (explored, { centre, magnification, screen }) =>
  viewport(explored.size, screen, centre, magnification);

const pixels = ({ width, rgba }) => new ImageData(new Uint8ClampedArray(rgba.buffer), width);

// Python's round(): what lies between two goes to the even one.
function rounded(value) {
  const whole = Math.round(value);
  return Math.abs(value % 1) === 0.5 && whole % 2 !== 0 ? whole - 1 : whole;
}

async function frame(explored, { view: asked, side, coarse, reads }) {
  const began = performance.now();
  const view = viewOf(explored, asked);
  const { unread, total } = explored.tiles(view, side);
  const reading = unread.length > 0 && reads < total;
  const next = reading ? explored.batches(unread).slice(0, explored.pool.count) : [];
  await Promise.all(next.map((tiles) => explored.read(tiles, side)));
  const picture = !reading || reads === 0;
  const pictures = [];
  if (picture) {
    const [height, width] = view.screen;
    const smaller = coarse && side.method in explored.models && !reading;
    const grid = gridOf(view, smaller ? Math.max(1, Math.sqrt((height * width) / COARSE_PIXELS)) : 1);
    const spans = [[0, grid.height], [0, grid.width]];
    const shown = reading ? BICUBIC : side;
    const asked = explored.asks(shown, view.magnification);
    pictures.push(pixels(await explored.part(grid, shown, ...spans, asked)));
  }
  const [down, across] = view.spans;
  const fields = {
    reading, picture, total, left: unread.length - next.flat().length,
    rect: [down.first, across.first, down.count, across.count],
    box: [across.start, down.start, across.end, down.end],
    seconds: (performance.now() - began) / 1000,
  };
  if (!reading) fields.left = 0;
  return [fields, pictures];
}

async function ahead(explored, { view, side }) {
  const unread = explored.ahead(viewOf(explored, view), side);
  const [next] = explored.batches(unread);
  if (next) await explored.read(next, side);
  return [{ more: unread.length > 0 }, []];
}

async function overview(explored) {
  const scale = Math.min(1, OVERVIEW / Math.max(...explored.size));
  const [height, width] = explored.size.map((side) => Math.max(1, rounded(side * scale)));
  const grid = { height, width, box: [0, 0, explored.size[1], explored.size[0]] };
  return [{}, [pixels(await explored.part(grid, BICUBIC, [0, height], [0, width], false))]];
}

async function xray(explored, { side, coord, cell }) {
  return [await explored.explain(side, coord, cell), []];
}

async function strip(explored, { view: asked, left, right, split, size, rows }) {
  const view = viewOf(explored, asked);
  const shown = gridOf(view);
  const [height, width] = size;
  const grid = { ...shown, height, width };
  const magnification = (view.magnification * width) / shown.width;
  const middle = rounded(split * width);
  const picture = { height: rows[1] - rows[0], width, rgba: null };
  picture.rgba = new Uint8Array(4 * picture.height * width);
  for (const [side, cols] of [[left, [0, middle]], [right, [middle, width]]]) {
    if (cols[1] <= cols[0]) continue;
    const asked = explored.asks(side, magnification);
    const { rgba } = await explored.part(grid, side, rows, cols, asked);
    paste(picture, rgba, { rows, cols }, [rows[0], 0]);
  }
  return [{}, [pixels(picture)]];
}

export const ANSWERS = { frame, ahead, overview, xray, strip };
