// Draws what is on the screen: the frames, scaled where they are not yet those of the view; over
// them, on a canvas of its own, the photo's pixel grid, the latent centres and the point looked at.
import { clamp, screenAt } from "./zoom_viewport.js";

const GRID_FROM = 6; // screen pixels per photo pixel

// One colour for each code of a query; chosen to be told apart by colour-blind eyes (Okabe, Ito).
export const CODE_COLOURS = ["#e69f00", "#56b4e9", "#009e73", "#cc79a7"];

// layers: { left, right } of { bitmap, rect, box, smooth } or nothing; split: canvas pixels.
export function drawPicture(canvas, view, layers, split, backdrop) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  const halves = [
    [layers.left, 0, split],
    [layers.right, split, canvas.width],
  ];
  for (const [layer, from, to] of halves) {
    if (to <= from) continue;
    context.save();
    context.beginPath();
    context.rect(from, 0, to - from, canvas.height);
    context.clip();
    const exact = layer && isExact(layer, view);
    if (backdrop && !exact) drawBox(context, view, backdrop, [0, 0, view.photo[1], view.photo[0]], true);
    if (exact) drawExactly(context, layer);
    else if (layer) drawBox(context, view, layer.bitmap, layer.box, layer.smooth);
    context.restore();
  }
}

// Whether a frame shows the very view: then its pixels go to the screen as they are.
export function isExact({ rect, box }, view) {
  const [down, across] = view.spans;
  const same = (a, b) => Math.abs(a - b) < 1e-6;
  return (
    rect[0] === down.first && rect[1] === across.first &&
    rect[2] === down.count && rect[3] === across.count &&
    same(box[0], across.start) && same(box[1], down.start) &&
    same(box[2], across.end) && same(box[3], down.end)
  );
}

function drawExactly(context, { bitmap, rect, smooth }) {
  const [top, left, height, width] = rect;
  context.imageSmoothingEnabled = smooth && (bitmap.width !== width || bitmap.height !== height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, left, top, width, height);
}

function drawBox(context, view, bitmap, [left, top, right, bottom], smooth) {
  const [y0, x0] = screenAt(view, [top, left]);
  const [y1, x1] = screenAt(view, [bottom, right]);
  context.imageSmoothingEnabled = smooth;
  context.imageSmoothingQuality = "low";
  context.drawImage(bitmap, x0, y0, x1 - x0, y1 - y0);
}

// grid: whether to show it; point: see drawPoint, or null; ratio: canvas pixels per CSS pixel;
// focused: mark the middle, which the keyboard's Enter asks about.
export function drawMarks(canvas, view, { grid, point, ratio, focused }) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (grid && gridShows(view, ratio)) drawGrid(context, view, ratio);
  if (point) drawPoint(context, view, point, ratio);
  if (focused) drawCross(context, [view.screen[0] / 2, view.screen[1] / 2], 7 * ratio, ratio);
}

export function gridShows(view, ratio) {
  return view.magnification / ratio >= GRID_FROM;
}

function drawGrid(context, view, ratio) {
  const [down, across] = view.spans;
  const [top, left] = [down.first, across.first];
  const [bottom, right] = [top + down.count, left + across.count];
  const lines = new Path2D();
  for (let row = Math.ceil(down.start); row <= down.end; row += 1) {
    const y = Math.round(screenAt(view, [row, 0])[0]);
    lines.moveTo(left, y);
    lines.lineTo(right, y);
  }
  for (let col = Math.ceil(across.start); col <= across.end; col += 1) {
    const x = Math.round(screenAt(view, [0, col])[1]);
    lines.moveTo(x, top);
    lines.lineTo(x, bottom);
  }
  twice(context, lines, ratio, 0.2);
  const radius = clamp(view.magnification / 14, 0.9 * ratio, 3 * ratio);
  const dots = new Path2D();
  for (let row = Math.floor(down.start); row < down.end; row += 1) {
    for (let col = Math.floor(across.start); col < across.end; col += 1) {
      const [y, x] = screenAt(view, [row + 0.5, col + 0.5]);
      dots.moveTo(x + radius, y);
      dots.arc(x, y, radius, 0, 2 * Math.PI);
    }
  }
  context.fillStyle = "rgb(255 255 255 / 0.75)";
  context.fill(dots);
  stroke(context, dots, "rgb(0 0 0 / 0.6)", 0.8 * ratio);
}

// point: { coord, codes }: what was asked for, and [row, column] of the codes that answered.
function drawPoint(context, view, { coord, codes }, ratio) {
  const [y, x] = screenAt(view, coord.map((value, axis) => ((value + 1) / 2) * view.photo[axis]));
  if (gridShows(view, ratio)) {
    const ends = codes.map((code) => screenAt(view, code.map((index) => index + 0.5)));
    for (const [number, [codeY, codeX]] of ends.entries()) {
      const line = new Path2D();
      line.moveTo(codeX, codeY);
      line.lineTo(x, y);
      stroke(context, line, "rgb(0 0 0 / 0.7)", 4 * ratio);
      stroke(context, line, CODE_COLOURS[number], 2 * ratio);
    }
    for (const [number, [codeY, codeX]] of ends.entries()) {
      const dot = new Path2D();
      dot.arc(codeX, codeY, 5 * ratio, 0, 2 * Math.PI);
      context.fillStyle = CODE_COLOURS[number];
      context.fill(dot);
      stroke(context, dot, "rgb(0 0 0 / 0.8)", 1.2 * ratio);
    }
  }
  const ring = new Path2D();
  ring.arc(x, y, 6 * ratio, 0, 2 * Math.PI);
  twice(context, ring, ratio, 1);
}

function drawCross(context, [y, x], size, ratio) {
  const cross = new Path2D();
  cross.moveTo(x - size, y);
  cross.lineTo(x + size, y);
  cross.moveTo(x, y - size);
  cross.lineTo(x, y + size);
  twice(context, cross, ratio, 0.8);
}

// Dark beneath light: seen on any picture.
function twice(context, path, ratio, strength) {
  stroke(context, path, `rgb(0 0 0 / ${strength})`, 2.4 * ratio);
  stroke(context, path, `rgb(255 255 255 / ${strength})`, ratio);
}

function stroke(context, path, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke(path);
}

// The whole photo, and where the screen stands on it.
export function drawOverview(canvas, view, backdrop) {
  canvas.width = backdrop.width;
  canvas.height = backdrop.height;
  const context = canvas.getContext("2d");
  context.drawImage(backdrop, 0, 0);
  const [down, across] = view.spans;
  const [y, x] = [canvas.height / view.photo[0], canvas.width / view.photo[1]];
  const frame = new Path2D();
  const [width, height] = [(across.end - across.start) * x, (down.end - down.start) * y];
  const [left, top] = [across.start * x, down.start * y];
  frame.rect(left, top, width, height);
  context.fillStyle = "rgb(0 0 0 / 0.45)";
  const outside = new Path2D(frame);
  outside.rect(0, 0, canvas.width, canvas.height);
  context.fill(outside, "evenodd");
  if (Math.min(width, height) < 8) {
    // Too small to be found: a cross to it.
    const cross = new Path2D();
    cross.moveTo(0, top + height / 2);
    cross.lineTo(canvas.width, top + height / 2);
    cross.moveTo(left + width / 2, 0);
    cross.lineTo(left + width / 2, canvas.height);
    twice(context, cross, 1, 0.5);
  }
  twice(context, frame, 1.5, 1);
}
