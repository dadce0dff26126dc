// Wheel, pinch, drag, double click and keys, told as zoom(factor, at), pan(by), reset, pick(at).
// Places are [y, x] in canvas pixels.
import { clamp } from "./zoom_viewport.js";

const CLICK = 4; // CSS pixels that a hand may slip during a click
const DOUBLE = 230; // milliseconds in which a second click may follow
const KEEP = 500; // after zooming by the wheel, the page does not begin to scroll for a while

// stage: what the wheel turns on: the canvas and what lies over it.
export function hands(canvas, stage, { zoom, pan, reset, pick, clear }) {
  const pointers = new Map();
  let travelled = 0;
  let click;
  let wheeled = -KEEP;

  const scale = () => canvas.width / canvas.getBoundingClientRect().width;

  function place(event) {
    const { left, top } = canvas.getBoundingClientRect();
    return [(event.clientY - top) * scale(), (event.clientX - left) * scale()];
  }

  stage.addEventListener(
    "wheel",
    (event) => {
      const unit = [1, 16, 100][event.deltaMode];
      const strength = event.ctrlKey ? 0.01 : 0.0016; // pinching a touch pad arrives with ctrl
      const factor = Math.exp(-clamp(event.deltaY * unit, -400, 400) * strength);
      const now = performance.now();
      if (zoom(factor, place(event))) wheeled = now;
      if (now - wheeled < KEEP || event.ctrlKey) event.preventDefault();
    },
    { passive: false },
  );

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    if (pointers.size === 1) travelled = 0;
    else travelled = Infinity;
    canvas.focus({ preventScroll: true });
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = [...pointers.values()];
    const from = pointers.get(event.pointerId);
    const to = place(event);
    pointers.set(event.pointerId, to);
    const after = [...pointers.values()];
    travelled += Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (travelled / scale() < CLICK) return;
    const [old, now] = [middleOf(before), middleOf(after)];
    pan([old[0] - now[0], old[1] - now[1]]);
    if (after.length === 2) zoom(distanceOf(after) / distanceOf(before), now);
  });

  for (const type of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(type, (event) => {
      if (!pointers.delete(event.pointerId) || type === "pointercancel") return;
      if (pointers.size > 0 || travelled / scale() >= CLICK) return;
      clearTimeout(click);
      const at = place(event).map(Math.floor);
      click = setTimeout(() => pick(at), DOUBLE);
    });
  }

  canvas.addEventListener("dblclick", () => {
    clearTimeout(click);
    reset();
  });

  canvas.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const [height, width] = [canvas.height, canvas.width];
    const middle = [height / 2, width / 2];
    const step = event.shiftKey ? 0.5 : 0.1; // of the screen
    const actions = {
      "+": () => zoom(1.25, middle),
      "=": () => zoom(1.25, middle),
      "-": () => zoom(0.8, middle),
      _: () => zoom(0.8, middle),
      0: reset,
      ArrowUp: () => pan([-step * height, 0]),
      ArrowDown: () => pan([step * height, 0]),
      ArrowLeft: () => pan([0, -step * width]),
      ArrowRight: () => pan([0, step * width]),
      Enter: () => pick(middle.map(Math.floor)),
      Escape: clear,
    };
    if (!Object.hasOwn(actions, event.key)) return;
    actions[event.key]();
    event.preventDefault();
    event.stopPropagation();
  });

  return () => clearTimeout(click);
}

function middleOf(points) {
  return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
}

function distanceOf([a, b]) {
  return Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]));
}
