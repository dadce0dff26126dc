// What the explorer shows: the engine's values, which every view of it shares, and what this view
// makes of them. Nothing here touches the page.
import { clamp, screenAt, viewport } from "./zoom_viewport.js";

const EDGE = 0.03; // of the width: the split cannot be moved out of reach

export class ExplorerState {
  constructor(engine) {
    this.engine = engine;
    this.view = null; // see viewport(); null until the screen has a size
    this.ratio = 1; // canvas pixels per CSS pixel
    this.point = null; // the X-rayed one: { coord, codes, answer }
    this.backdrop = null; // the whole photo, small
    this.methods = engine.get("methods");
  }

  // ---- the view

  // Take a view; return whether it shows anything else than before.
  look(next) {
    const moved = !this.view || !sameView(this.view, next, 0);
    this.view = next;
    return moved;
  }

  // The view that all share, on a screen of [height, width] canvas pixels.
  sharedView(screen) {
    const { height, width } = this.engine.get("photo");
    const { centre, magnification } = this.engine.get("view");
    return viewport([height, width], screen, centre, magnification * this.ratio);
  }

  shareView() {
    const { centre, magnification, least } = this.view;
    const shown = magnification === least ? 0 : magnification / this.ratio;
    this.engine.set("view", { centre, magnification: shown });
  }

  // Whether the notebook's code, or another view, has moved it.
  hasMoved() {
    return !sameView(this.view, this.sharedView(this.view.screen), 1e-9);
  }

  screenOf(coord) {
    return screenAt(this.view, coord.map((value, axis) => ((value + 1) / 2) * this.view.photo[axis]));
  }

  // ---- the sides of the split

  side(name) {
    return this.engine.get(name);
  }

  methodOf(name) {
    return this.methods.find((method) => method.name === this.side(name).method);
  }

  isModel(name) {
    return this.methodOf(name)?.model === true;
  }

  // Whether a side's model is asked in this view: below, the photo is averaged.
  asks(name) {
    return this.isModel(name) && this.view.magnification >= (this.methodOf(name).least ?? 1);
  }

  // What of the screen is invented: [{ name, seed }] of the sides that are.
  invented() {
    const sides = this.shownSides().filter((name) => this.methodOf(name)?.seed !== undefined);
    return sides
      .filter((name) => this.asks(name))
      .map((name) => ({ name, seed: this.side(name).seed ?? this.methodOf(name).seed }));
  }

  get split() {
    return this.engine.get("split");
  }

  set split(at) {
    this.engine.set("split", clamp(at, 0, 1));
  }

  splitColumn(width) {
    return Math.round(this.split * width);
  }

  shownSides() {
    return [this.split > 0 ? "left" : null, this.split < 1 ? "right" : null].filter(Boolean);
  }

  // What is on screen, to be saved.
  shown() {
    const [left, right] = [this.side("left"), this.side("right")];
    const split = this.splitColumn(this.view.screen[1]);
    return { view: this.view, left, right, split, name: this.engine.get("photo").name };
  }

  nameAt(column) {
    return column < this.splitColumn(this.view.screen[1]) ? "left" : "right";
  }

  // The side that shows a point, or would if the point were in sight.
  sideAt(coord) {
    return this.nameAt(Math.floor(this.screenOf(coord)[1]));
  }

  inSight(coord) {
    return this.screenOf(coord).every((place, axis) => place >= 0 && place < this.view.screen[axis]);
  }

  // The side whose model is asked about a point: the one that shows it, or the other if that has
  // no model.
  modelAt(coord) {
    const order = this.sideAt(coord) === "left" ? ["left", "right"] : ["right", "left"];
    return order.find((name) => this.shownSides().includes(name) && this.isModel(name));
  }
}

export function withinReach(split) {
  return clamp(split, EDGE, 1 - EDGE);
}

function sameView(one, other, tolerance) {
  const scale = Math.abs(Math.log(one.magnification / other.magnification));
  const apart = one.centre.map((value, axis) => Math.abs(value - other.centre[axis]));
  return Math.max(scale, ...apart) <= tolerance;
}
