// Wheel, pinch, drag, double click and keys, told as zoom(factor, at), pan(by), reset, pick(at) and
// clear. Places are [y, x] in canvas pixels.
import { clamp } from "./zoom_viewport.js";

const CLICK = 4; // CSS pixels that a hand may slip during a click
const DOUBLE = 230; // milliseconds in which a second click may follow
const KEEP = 500; // after zooming by the wheel, the page does not begin to scroll for a while

export class Hands {
  // stage: what the wheel turns on: the canvas and what lies over it.
  constructor(canvas, stage, actions) {
    Object.assign(this, { canvas, actions });
    this.pointers = new Map();
    this.travelled = 0;
    this.click = undefined;
    this.wheeled = -KEEP;
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("dblclick", () => {
      clearTimeout(this.click);
      actions.reset();
    });
  }

  get scale() {
    return this.canvas.width / this.canvas.getBoundingClientRect().width;
  }

  place(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return [(event.clientY - top) * this.scale, (event.clientX - left) * this.scale];
  }

  // The same in whole pixels: after a pan by those, most of the picture is known already.
  wholePlace(event) {
    return this.place(event).map(Math.round);
  }

  wheel(event) {
    const unit = [1, 16, 100][event.deltaMode];
    const strength = event.ctrlKey ? 0.01 : 0.0016; // pinching a touch pad arrives with ctrl
    const factor = Math.exp(-clamp(event.deltaY * unit, -400, 400) * strength);
    const now = performance.now();
    if (this.actions.zoom(factor, this.place(event))) this.wheeled = now;
    if (now - this.wheeled < KEEP || event.ctrlKey) event.preventDefault();
  }

  down(event) {
    if (event.button > 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.wholePlace(event));
    this.travelled = this.pointers.size === 1 ? 0 : Infinity;
    this.canvas.focus({ preventScroll: true });
  }

  move(event) {
    if (!this.pointers.has(event.pointerId)) return;
    const before = [...this.pointers.values()];
    const from = this.pointers.get(event.pointerId);
    const to = this.wholePlace(event);
    this.pointers.set(event.pointerId, to);
    const after = [...this.pointers.values()];
    this.travelled += Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (this.travelled / this.scale < CLICK) return;
    const [old, now] = [middleOf(before), middleOf(after)];
    this.actions.pan([old[0] - now[0], old[1] - now[1]]);
    if (after.length === 2) this.actions.zoom(distanceOf(after) / distanceOf(before), now);
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId) || this.pointers.size > 0) return;
    if (this.travelled / this.scale >= CLICK) return;
    clearTimeout(this.click);
    const at = this.place(event).map(Math.floor);
    this.click = setTimeout(() => this.actions.pick(at), DOUBLE);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { zoom, pan, reset, pick, clear } = this.actions;
    const { height, width } = this.canvas;
    const middle = [height / 2, width / 2];
    const share = event.shiftKey ? 0.5 : 0.1; // of the screen
    const [down, across] = [Math.round(share * height), Math.round(share * width)];
    const actions = {
      "+": () => zoom(1.25, middle),
      "=": () => zoom(1.25, middle),
      "-": () => zoom(0.8, middle),
      _: () => zoom(0.8, middle),
      0: reset,
      ArrowUp: () => pan([-down, 0]),
      ArrowDown: () => pan([down, 0]),
      ArrowLeft: () => pan([0, -across]),
      ArrowRight: () => pan([0, across]),
      Enter: () => pick(middle.map(Math.floor)),
      Escape: clear,
    };
    if (!Object.hasOwn(actions, event.key)) return;
    actions[event.key]();
    event.preventDefault();
    event.stopPropagation();
  }

  stop() {
    clearTimeout(this.click);
  }
}

function middleOf(points) {
  return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
}

function distanceOf([a, b]) {
  return Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]));
}
