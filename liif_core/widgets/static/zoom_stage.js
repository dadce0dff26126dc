// The picture under the hand: two canvases, what is written over them, and the split.
import { control, element } from "./shared.js";
import { splitHandle } from "./zoom_controls.js";
import { drawMarks, drawPicture } from "./zoom_picture.js";
import { scaleText, sideText } from "./zoom_readout.js";

const MOST_SCREEN = 1_000_000; // canvas pixels: on very dense screens, some are drawn larger

export class Stage {
  // screen: [rows, columns] asked for; splitMoved(at) and splitRests() while the hand drags it.
  constructor(screen, { splitMoved, splitRests }) {
    this.screen = screen;
    this.picture = element("canvas", { className: "liif-picture" });
    this.marks = control("canvas", { className: "liif-marks", tabIndex: 0 });
    this.marks.setAttribute("role", "application");
    this.marks.setAttribute("aria-roledescription", "zoomable photo");
    this.split = splitHandle(this.marks, { move: splitMoved, done: splitRests });
    this.left = element("span", { className: "liif-caption liif-caption-left" });
    this.right = element("span", { className: "liif-caption liif-caption-right" });
    this.scale = element("span", { className: "liif-caption liif-scale" });
    this.status = element("div", { className: "liif-status" });
    this.root = element(
      "div", { className: "liif-stage" },
      this.picture, this.marks, this.left, this.right, this.scale, this.split.root, this.status,
    );
    const [rows, columns] = screen;
    this.root.style.maxWidth = `${columns}px`;
    this.root.style.aspectRatio = `${columns} / ${rows}`;
  }

  get size() {
    return [this.picture.height, this.picture.width];
  }

  get middle() {
    return this.size.map((side) => side / 2);
  }

  get hidden() {
    return this.root.getBoundingClientRect().width === 0;
  }

  // Give the canvases as many pixels as they have room for; return how many per CSS pixel.
  fit() {
    const { width } = this.root.getBoundingClientRect();
    const [rows, columns] = this.screen;
    const css = [(width * rows) / columns, width].map((side) => Math.max(1, Math.round(side)));
    const ratio = Math.min(window.devicePixelRatio || 1, Math.sqrt(MOST_SCREEN / (css[0] * css[1])));
    const size = css.map((side) => Math.max(1, Math.round(side * ratio)));
    for (const canvas of [this.picture, this.marks]) {
      if (canvas.height === size[0] && canvas.width === size[1]) continue;
      [canvas.height, canvas.width] = size;
    }
    return ratio;
  }

  draw(state, layers) {
    const { view, split, methods, backdrop } = state;
    const [left, right] = [state.side("left"), state.side("right")];
    drawPicture(this.picture, view, layers, state.splitColumn(this.picture.width), backdrop);
    this.split.show(split > 0 ? split : null, left.method, right.method);
    this.left.textContent = split > 0.08 ? sideText(left, methods, state.asks("left")) : "";
    this.right.textContent = split > 0 && split < 0.92 ? sideText(right, methods, state.asks("right")) : "";
    this.scale.textContent = scaleText(view);
  }

  drawMarks({ view, point, ratio }, grid) {
    const focused = this.marks.matches(":focus-visible");
    drawMarks(this.marks, view, { grid, point, ratio, focused });
  }

  // reading: what the encoder has still to read, { left, total }, or nothing.
  showStatus(reading, busy) {
    this.status.textContent = reading
      ? `the encoder reads the photo: ${reading.total - reading.left} of ${reading.total} tiles`
      : "";
    this.root.setAttribute("aria-busy", String(busy));
  }

  // The colour of a picture's pixel, [r, g, b] in 0 … 255.
  colourAt([row, column]) {
    const { data } = this.picture.getContext("2d").getImageData(column, row, 1, 1);
    return [...data].slice(0, 3);
  }
}
