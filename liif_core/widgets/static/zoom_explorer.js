// The zoom explorer: a photo under the reader's hand, and the X-ray of any point of it.
import { control, conversation, element } from "./shared.js";
import { cellOf, clamp, coordAt, panned, screenAt, viewport, zoomed } from "./zoom_viewport.js";
import { drawMarks, drawOverview, drawPicture, isExact } from "./zoom_picture.js";
import { frameQueue } from "./zoom_frames.js";
import { hands } from "./zoom_hands.js";
import { button, sideControls, splitHandle, toggle } from "./zoom_controls.js";
import { savingPanel } from "./zoom_saving.js";
import { uploading } from "./zoom_uploading.js";
import { readoutPanel, scaleText, sideText } from "./zoom_readout.js";
import { xrayPanel } from "./zoom_xray.js";

const SILENCE = 8; // seconds without an answer
const MOST_SCREEN = 1_000_000; // canvas pixels: on very dense screens, some are drawn larger
const EDGE = 0.03; // of the width: the split cannot be moved out of reach
const TELL = 250; // milliseconds after which code in the notebook learns of the view

let explorers = 0;

function render({ model, el }) {
  el.classList.add("liif-widget", "liif-zoom");
  const id = `view-${(explorers += 1)}-${Math.random().toString(36).slice(2)}`;

  // What is shown.
  let ratio = 1;
  let view = null;
  let point = null; // the X-rayed one: { coord, codes, answer }
  let backdrop = null; // the whole photo, small
  const layers = { left: null, right: null };
  const reading = {};
  let decoding = 0; // frames that have arrived and are not drawn yet

  // The parts.
  const picture = element("canvas", { className: "liif-picture" });
  const marks = control("canvas", { className: "liif-marks", tabIndex: 0 });
  marks.setAttribute("role", "application");
  marks.setAttribute("aria-roledescription", "zoomable photo");
  const split = splitHandle(marks, {
    move: (at) => moveSplit(clamp(at, EDGE, 1 - EDGE)),
    done: tellSplit,
  });
  const status = element("div", { className: "liif-status" });
  const captions = { left: element("span", {}), right: element("span", {}) };
  captions.left.className = "liif-caption liif-caption-left";
  captions.right.className = "liif-caption liif-caption-right";
  const scale = element("span", { className: "liif-caption liif-scale" });
  const stage = element(
    "div", { className: "liif-stage" },
    picture, marks, captions.left, captions.right, scale, split.root, status,
  );
  const methods = model.get("methods");
  const sides = {
    left: sideControls("Left of the split", methods, (side) => choose("left", side)),
    right: sideControls("Right of the split", methods, (side) => choose("right", side)),
  };
  const compare = toggle("split", "compare two methods", true, (on) => {
    moveSplit(on ? 0.5 : 0);
    tellSplit();
  });
  const gridTitle = "show the photo's pixel grid and latent centres, from ×6 on";
  const grid = toggle("pixels", gridTitle, model.get("grid"), drawOver);
  const overview = element("canvas", { className: "liif-overview" });
  overview.setAttribute("role", "img");
  overview.setAttribute("aria-label", "the whole photo, and where the screen stands on it");
  const readout = readoutPanel(model.get("trained"), model.get("alt"));
  const note = element("p", { className: "liif-note" });
  note.setAttribute("role", "status");
  const told = element("p", { className: "liif-note" }); // about a photo that was opened
  told.setAttribute("role", "status");
  const xray = xrayPanel();

  // The way to the kernel.
  const kernel = conversation(model, note, giveUp, SILENCE);
  const send = (question, buffers) => kernel.ask({ ...question, viewer: id }, buffers);
  const frames = frameQueue({
    send,
    receive: receiveFrame,
    onReading(name, answer) {
      reading[name] = answer;
      showStatus();
    },
  });
  const saving = savingPanel({
    send,
    shown: () => ({
      view,
      left: model.get("left"),
      right: model.get("right"),
      split: splitColumn(),
      name: model.get("photo").name,
    }),
  });
  const upload = uploading({ send, tell: (text) => (told.textContent = text), target: stage });
  let asked = null; // the point whose X-ray is awaited
  let tag = 0;

  const saveButton = button("Save …", "save what is on screen as a PNG", () => {
    saving.toggle(saving.root.hidden);
    saveButton.setAttribute("aria-expanded", String(!saving.root.hidden));
  });
  const bar = element(
    "div", { className: "liif-row" },
    button("−", "zoom out", () => zoom(0.8, middle())),
    button("+", "zoom in", () => zoom(1.25, middle())),
    button("whole", "show the whole photo", reset),
    compare.root, grid.root, saveButton, upload.button, upload.input,
  );
  el.append(
    element("div", { className: "liif-sides" }, sides.left.root, sides.right.root),
    element(
      "div", { className: "liif-columns" },
      element(
        "div", { className: "liif-main" },
        stage, bar, saving.root, note, told,
        element("div", { className: "liif-where-now" }, overview, readout.numbers),
        readout.aloud,
      ),
      xray.root,
    ),
  );

  // ---- what is to be seen

  function middle() {
    return [picture.height / 2, picture.width / 2];
  }

  function splitColumn() {
    return Math.round(model.get("split") * picture.width);
  }

  function shownSides() {
    const at = model.get("split");
    return [at > 0 ? "left" : null, at < 1 ? "right" : null].filter(Boolean);
  }

  // Take a new view, or the same on another screen; ask for its frames.
  function look(next, { tell = true } = {}) {
    const moved = !view || next.magnification !== view.magnification ||
      next.centre.some((value, axis) => value !== view.centre[axis]);
    view = next;
    for (const name of shownSides()) want(name);
    if (tell && moved) tellView();
    draw();
    return moved;
  }

  function want(name) {
    stage.setAttribute("aria-busy", "true");
    const { centre, magnification, screen } = view;
    const what = { view: { centre, magnification, screen }, side: model.get(name) };
    frames.want(name, { ...what, photo: model.get("photo").number });
  }

  const zoom = (factor, at) => look(zoomed(view, factor, at));
  const pan = (by) => look(panned(view, by));

  function reset() {
    look(viewport(view.photo, view.screen, [0, 0], 0));
  }

  let telling;
  function tellView() {
    clearTimeout(telling);
    telling = setTimeout(() => {
      const whole = view.magnification === view.least;
      const magnification = whole ? 0 : view.magnification / ratio;
      model.set("view", { centre: view.centre, magnification });
      kernel.save();
      readout.say(view);
    }, TELL);
  }

  // The notebook's code, or another view of this widget, has moved.
  function follow() {
    const { centre, magnification } = model.get("view");
    const next = viewport(view.photo, view.screen, centre, magnification * ratio);
    const near = Math.abs(Math.log(next.magnification / view.magnification)) < 1e-9 &&
      next.centre.every((value, axis) => Math.abs(value - view.centre[axis]) < 1e-9);
    if (!near) look(next, { tell: false });
  }

  function choose(name, side) {
    model.set(name, side);
    kernel.save();
  }

  function followSide(name) {
    sides[name].show(model.get(name));
    if (shownSides().includes(name)) want(name);
    draw();
    if (point) askXray(point.coord);
  }

  function moveSplit(at) {
    const before = shownSides();
    model.set("split", clamp(at, 0, 1));
    for (const name of shownSides()) if (!before.includes(name)) want(name);
    for (const name of before) if (!shownSides().includes(name)) frames.forget(name);
    draw();
  }

  function tellSplit() {
    kernel.save();
  }

  // ---- drawing

  let scheduled = 0;
  function draw() {
    scheduled ||= requestAnimationFrame(paint);
  }

  function paint() {
    cancelAnimationFrame(scheduled);
    scheduled = 0;
    drawPicture(picture, view, layers, splitColumn(), backdrop);
    const at = model.get("split");
    const [left, right] = [model.get("left"), model.get("right")];
    split.show(at > 0 ? at : null, left.method, right.method);
    compare.box.checked = at > 0;
    sides.left.root.hidden = at === 0;
    sides.right.title = at === 0 ? "Method" : "Right of the split";
    captions.left.textContent = at > 0.08 ? sideText(left, methods) : "";
    captions.right.textContent = at > 0 && at < 0.92 ? sideText(right, methods) : "";
    scale.textContent = scaleText(view);
    drawOver();
    if (backdrop) drawOverview(overview, view, backdrop);
    readout.show(view);
    marks.setAttribute("aria-label", readout.name(view));
    saving.measure();
  }

  function drawOver() {
    const focused = marks.matches(":focus-visible");
    drawMarks(marks, view, { grid: grid.box.checked, point, ratio, focused });
  }

  function showStatus() {
    const busy = Object.values(reading).find(Boolean);
    status.textContent = busy
      ? `the encoder reads the photo: ${busy.total - busy.left} of ${busy.total} tiles`
      : "";
    stage.setAttribute("aria-busy", String(!frames.settled() || decoding > 0));
  }

  // ---- what the kernel answers

  async function receiveFrame(answer, bytes) {
    const { layer: name, rect, box, side, stage: step, count, photo } = answer;
    const type = answer.lossless && !answer.reading ? "image/png" : "image/jpeg";
    const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
    decoding += 1;
    const bitmap = await createImageBitmap(new Blob([bytes], { type }), options);
    decoding -= 1;
    const full = step === "full";
    const before = layers[name];
    const age = (layer) => 2 * layer.count + layer.full;
    // Decoded later though asked for earlier, or of the photo that was here before.
    if ((before && age(before) > 2 * count + full) || photo !== model.get("photo").number) {
      bitmap.close();
      return showStatus();
    }
    before?.bitmap.close();
    layers[name] = { bitmap, rect, box, count, full, smooth: side.method !== "nearest" };
    stage.dataset[`${name}${full ? "Full" : "Coarse"}Seconds`] = answer.seconds;
    paint();
    showStatus();
    if (full && point) refreshScreenColour();
  }

  function receive(answer, buffers) {
    if (answer.viewer !== id) return; // of another view of this widget
    kernel.answered();
    const toldThere = ["upload", "strip", "xray"].includes(answer.type);
    if (answer.failed && !toldThere) note.textContent = answer.failed;
    if (["frame", "ahead"].includes(answer.type)) frames.answered(answer, buffers);
    else if (answer.type === "strip") saving.receive(answer, buffers[0]);
    else if (answer.type === "upload") upload.receive(answer);
    else if (answer.type === "overview") receiveOverview(buffers[0]);
    else if (answer.type === "xray") receiveXray(answer);
    if (frames.waiting() || asked || saving.waiting() || upload.waiting()) kernel.wait();
  }

  function giveUp() {
    frames.giveUp();
    saving.giveUp();
    upload.giveUp();
    asked = null;
    showStatus();
  }

  async function receiveOverview(png) {
    backdrop = await createImageBitmap(new Blob([png], { type: "image/png" }));
    draw();
  }

  // ---- the X-ray

  function pick(pixel) {
    const coord = coordAt(view, pixel);
    if (coord) setPoint(coord);
  }

  function setPoint(coord) {
    model.set("point", coord);
    kernel.save();
  }

  function followPoint() {
    const coord = model.get("point");
    if (coord) return askXray(coord);
    point = null;
    asked = null;
    xray.clear();
    drawOver();
  }

  function askXray(coord) {
    if (view.magnification < 1) {
      return xray.say("Zoom in to ×1 or more: below, the photo is averaged and no LIIF is asked.");
    }
    const side = sideAt(coord);
    if (!side) {
      return xray.say("Choose a LIIF on one of the sides: the other methods have no latent codes.");
    }
    tag += 1;
    asked = tag;
    send({ type: "xray", side: model.get(side), on: side, coord, cell: cellOf(view), tag });
  }

  // The side whose model is asked: the one that shows the point, or the other if that has no model.
  function sideAt(coord) {
    const here = screenOf(coord)[1] < splitColumn() ? "left" : "right";
    const order = here === "left" ? ["left", "right"] : ["right", "left"];
    const shown = order.filter((name) => shownSides().includes(name));
    return shown.find((name) => sides[name].isModel());
  }

  function receiveXray(answer) {
    if (answer.tag !== asked) return;
    asked = null;
    if (answer.failed) return xray.say(answer.failed);
    point = { coord: answer.coord, codes: answer.codes.map(({ row, col }) => [row, col]), answer };
    refreshScreenColour();
    drawOver();
  }

  // With the colour on screen, where the side that was asked shows the point without loss.
  function refreshScreenColour() {
    const { answer } = point;
    const [y, x] = screenOf(answer.coord).map(Math.floor);
    const here = (x < splitColumn() ? "left" : "right") === answer.on;
    const now = cellOf(view);
    const same = answer.cell.every((value, axis) => Math.abs(value / now[axis] - 1) < 1e-9);
    const visible = y >= 0 && x >= 0 && y < view.screen[0] && x < view.screen[1];
    const layer = layers[answer.on];
    const exact = layer?.full && isExact(layer, view) && here && same && visible;
    const pixel = () => [...picture.getContext("2d").getImageData(x, y, 1, 1).data].slice(0, 3);
    xray.show(answer, view.photo, exact ? pixel() : null);
  }

  // Where a coordinate lies on the screen.
  function screenOf(coord) {
    return screenAt(view, coord.map((value, axis) => ((value + 1) / 2) * view.photo[axis]));
  }

  // ---- the photo and the screen

  function setPhoto() {
    const { height, width } = model.get("photo");
    for (const name of ["left", "right"]) {
      layers[name]?.bitmap.close();
      layers[name] = null;
      reading[name] = null;
    }
    backdrop = null;
    if (saving.waiting()) saving.stop("Another photo was opened; nothing was saved.");
    const { centre, magnification } = model.get("view");
    send({ type: "overview" });
    look(viewport([height, width], screenSize(), centre, magnification * ratio), { tell: false });
    followPoint();
  }

  function screenSize() {
    const { width } = stage.getBoundingClientRect();
    const [rows, cols] = model.get("screen");
    const css = [Math.max(1, Math.round((width * rows) / cols)), Math.max(1, Math.round(width))];
    ratio = Math.min(window.devicePixelRatio || 1, Math.sqrt(MOST_SCREEN / (css[0] * css[1])));
    const size = css.map((value) => Math.max(1, Math.round(value * ratio)));
    for (const canvas of [picture, marks]) {
      if (canvas.height === size[0] && canvas.width === size[1]) continue;
      [canvas.height, canvas.width] = size;
    }
    return size;
  }

  function fitScreen() {
    if (stage.getBoundingClientRect().width === 0) return; // hidden
    const before = [picture.height, picture.width];
    const size = screenSize();
    if (view && size.every((value, axis) => value === before[axis])) return;
    if (!view) return setPhoto();
    const { centre, magnification } = model.get("view");
    look(viewport(view.photo, size, centre, magnification * ratio), { tell: false });
  }

  const [screenRows, screenCols] = model.get("screen");
  stage.style.maxWidth = `${screenCols}px`;
  stage.style.aspectRatio = `${screenCols} / ${screenRows}`;
  for (const name of ["left", "right"]) sides[name].show(model.get(name));

  const stopHands = hands(marks, stage, { zoom, pan, reset, pick, clear: () => setPoint(null) });
  for (const type of ["focus", "blur"]) marks.addEventListener(type, () => view && drawOver());
  overview.addEventListener("pointerdown", moveOverview);
  overview.addEventListener("pointermove", (event) => event.buttons === 1 && moveOverview(event));
  function moveOverview(event) {
    const { left, top, width, height } = overview.getBoundingClientRect();
    const centre = [(event.clientY - top) / height, (event.clientX - left) / width];
    look(viewport(view.photo, view.screen, centre.map((at) => 2 * at - 1), view.magnification));
  }

  const resized = new ResizeObserver(fitScreen);
  resized.observe(stage);
  let inSight = false;
  const showing = () => frames.setVisible(inSight && !document.hidden && view !== null);
  const seen = new IntersectionObserver(([entry]) => {
    inSight = entry.isIntersecting;
    fitScreen();
    showing();
  });
  seen.observe(stage);
  document.addEventListener("visibilitychange", showing);

  const followers = {
    "msg:custom": receive,
    "change:view": () => view && follow(),
    "change:left": () => view && followSide("left"),
    "change:right": () => view && followSide("right"),
    "change:split": () => view && moveSplit(model.get("split")),
    "change:point": () => view && followPoint(),
    "change:photo": () => view && setPhoto(),
  };
  for (const [event, callback] of Object.entries(followers)) model.on(event, callback);

  return () => {
    for (const [event, callback] of Object.entries(followers)) model.off(event, callback);
    document.removeEventListener("visibilitychange", showing);
    resized.disconnect();
    seen.disconnect();
    cancelAnimationFrame(scheduled);
    frames.stop();
    stopHands();
    clearTimeout(telling);
    kernel.answered();
  };
}

export default { render };
