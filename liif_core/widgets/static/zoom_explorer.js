// The zoom explorer: a photo under the reader's hand, and the X-ray of any point of it. This is the
// glue between what is shown (zoom_state.js, zoom_layers.js), the page (zoom_page.js), and the
// questions to the engine (zoom_questions.js).
import { VERSION, Questions } from "./zoom_questions.js";
import { FrameQueue } from "./zoom_frames.js";
import { Hands } from "./zoom_hands.js";
import { Layers } from "./zoom_layers.js";
import { Overview } from "./zoom_overview.js";
import { Page } from "./zoom_page.js";
import { Pointed } from "./zoom_pointed.js";
import { storyOf } from "./zoom_readout.js";
import { Saving } from "./zoom_saving.js";
import { watchSight } from "./zoom_sight.js";
import { ExplorerState, withinReach } from "./zoom_state.js";
import { Uploading } from "./zoom_uploading.js";
import { coordAt, panned, viewport, zoomed } from "./zoom_viewport.js";

const TELL = 250; // milliseconds after which code in the notebook learns of the view
const OTHER_VERSION =
  "This page and the kernel speak different versions of the explorer: restart the kernel, run the " +
  "cell again, and reload the page.";

class Explorer {
  constructor(engine, el) {
    this.engine = engine;
    this.state = new ExplorerState(engine);
    this.layers = new Layers();
    this.reading = {}; // of each side: what the encoder has still to read
    this.scheduled = 0; // the next time that the picture is drawn
    this.actions = handActions(this);
    this.page = new Page(engine, this.actions);
    this.questions = new Questions(engine, this.page.note, () => this.giveUp());
    this.buildAskers();
    this.page.build(el, this);
    for (const name of ["left", "right"]) this.page[name].show(this.state.side(name));
    const { marks, root } = this.page.stage;
    this.hands = new Hands(marks, root, this.actions);
    for (const type of ["focus", "blur"]) marks.addEventListener(type, () => this.drawMarks());
    this.watch();
  }

  // Those who ask the engine, each for itself.
  buildAskers() {
    const { state, layers, page, questions } = this;
    const ask = (type, fields) => questions.askOfPhoto(type, fields);
    this.frames = new FrameQueue({
      ask,
      onPicture: (name, question, answer) => this.show(name, question, answer),
      onReading: (name, reading) => {
        this.reading[name] = reading;
        this.showStatus();
      },
      onFailed: (name, text) => page.showFailure(name, text),
    });
    const { stage, xray: panel } = page;
    this.overview = new Overview({ state, ask, look: this.actions.centre });
    this.pointed = new Pointed({ state, layers, stage, panel, ask, redraw: () => this.drawMarks() });
    this.saving = new Saving({ ask, shown: () => state.shown(), story: (columns) => storyOf(state, columns) });
    this.upload = new Uploading({
      ask: (type, fields, buffers) => questions.ask(type, fields, buffers),
      tell: (text) => page.tell(text),
      opened: page.rename, engine: this.engine, target: stage.root,
    });
  }

  // Listen to the engine, and to the page.
  watch() {
    const follow = (action) => () => this.state.view && action();
    this.followers = {
      "change:view": follow(() => this.followView()),
      "change:left": follow(() => this.followSide("left")),
      "change:right": follow(() => this.followSide("right")),
      "change:split": follow(() => this.moveSplit(this.state.split)),
      "change:point": follow(() => this.pointed.follow()),
      "change:photo": follow(() => this.openPhoto()),
      "change:graphics": () => this.showGraphics(),
      "change:graphics_note": () => this.showGraphics(),
    };
    for (const [event, call] of Object.entries(this.followers)) this.engine.on(event, call);
    this.showGraphics();
    this.stopWatching = watchSight(this.page.stage.root, {
      fit: () => this.fitScreen(),
      visible: (inSight) => this.frames.setVisible(inSight && this.state.view !== null),
    });
  }

  // ---- what is to be seen

  // Take a new view, or the same on another screen; ask for its frames. Whether it has moved.
  look(next, { tell = true } = {}) {
    const moved = this.state.look(next);
    for (const name of this.state.shownSides()) this.want(name);
    if (tell && moved) this.tellView();
    this.draw();
    return moved;
  }

  want(name) {
    this.page.stage.root.setAttribute("aria-busy", "true");
    const { centre, magnification, screen } = this.state.view;
    this.frames.want(name, { view: { centre, magnification, screen }, side: this.state.side(name) });
  }

  tellView() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      this.state.shareView();
      this.questions.save();
      this.page.readout.say(this.state);
    }, TELL);
  }

  share(name, value) {
    this.engine.set(name, value);
    this.questions.save();
  }

  // The notebook's code, or another view of this explorer, has moved.
  followView() {
    if (!this.state.hasMoved()) return;
    this.look(this.state.sharedView(this.state.view.screen), { tell: false });
  }

  followSide(name) {
    this.page[name].show(this.state.side(name));
    if (this.state.shownSides().includes(name)) this.want(name);
    this.pointed.askAgain();
    this.draw();
    this.page.readout.say(this.state);
  }

  moveSplit(at) {
    const before = this.state.shownSides();
    this.state.split = at;
    const now = this.state.shownSides();
    for (const name of now) if (!before.includes(name)) this.want(name);
    for (const name of before) if (!now.includes(name)) this.frames.forget(name);
    this.draw();
  }

  async openPhoto() {
    clearTimeout(this.telling); // where the hand was on the photo before is of no interest now
    this.layers.clear();
    this.reading = {};
    this.page.showFailure("overview", "");
    const overview = this.overview.open();
    this.look(this.state.sharedView(this.page.stage.size), { tell: false });
    this.pointed.follow();
    try {
      await overview;
      this.draw();
    } catch (error) {
      this.page.showFailure("overview", error.message);
    }
  }

  fitScreen() {
    const { stage } = this.page;
    if (stage.hidden) return;
    const before = stage.size;
    this.state.ratio = stage.fit();
    if (!this.state.view) return this.openPhoto();
    if (stage.size.every((side, axis) => side === before[axis])) return;
    this.look(this.state.sharedView(stage.size), { tell: false });
  }

  // ---- what is drawn

  async show(name, question, answer) {
    const { stage } = this.page;
    try {
      const layer = await this.layers.take(name, question, answer);
      if (layer) {
        stage.root.dataset[`${name}${layer.full ? "Full" : "Coarse"}Seconds`] = answer.seconds;
        this.paint();
        if (layer.full) this.pointed.refreshColour();
      }
    } catch (error) {
      this.page.showFailure(name, error.message);
    }
    this.showStatus();
  }

  draw() {
    this.pointed.moved();
    this.scheduled ||= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.scheduled);
    this.scheduled = 0;
    this.page.draw(this.state, this.layers);
    this.overview.draw();
    this.saving.measure();
  }

  drawMarks() {
    if (this.state.view) this.page.drawMarks(this.state);
  }

  showGraphics() {
    this.page.showGraphics(this.engine.get("graphics"), this.engine.get("graphics_note"));
  }

  showStatus() {
    const busy = !this.frames.settled() || this.layers.decoding > 0;
    this.page.stage.showStatus(Object.values(this.reading).find(Boolean), busy);
  }

  giveUp() {
    for (const asker of [this.frames, this.saving, this.upload, this.pointed]) asker.giveUp();
    this.showStatus();
  }

  stop() {
    for (const [event, call] of Object.entries(this.followers)) this.engine.off(event, call);
    this.stopWatching();
    cancelAnimationFrame(this.scheduled);
    clearTimeout(this.telling);
    for (const part of [this.frames, this.hands, this.questions]) part.stop();
  }
}

// What the reader's hand can do.
function handActions(explorer) {
  const view = () => explorer.state.view;
  const lookAt = (centre, magnification) =>
    explorer.look(viewport(view().photo, view().screen, centre, magnification));
  return {
    zoom: (factor, at) => explorer.look(zoomed(view(), factor, at)),
    pan: (by) => explorer.look(panned(view(), by)),
    reset: () => lookAt([0, 0], 0),
    centre: (coord) => lookAt(coord, view().magnification),
    pick: (pixel) => {
      const coord = coordAt(view(), pixel);
      if (coord) explorer.share("point", coord);
    },
    clear: () => explorer.share("point", null),
    choose: (name, side) => explorer.share(name, side),
    splitMoved: (at) => explorer.moveSplit(withinReach(at)),
    splitRests: () => explorer.questions.save(),
    compare: (on) => {
      explorer.moveSplit(on ? 0.5 : 0);
      explorer.questions.save();
    },
    redraw: () => explorer.drawMarks(),
    accelerate: (on) => explorer.engine.set("graphics", on),
  };
}

// Show an explorer in `el`; model: its engine. Returns a function that ends it.
export function explore({ model: engine, el }) {
  if (engine.get("version") !== VERSION) {
    el.textContent = OTHER_VERSION;
    return undefined;
  }
  const explorer = new Explorer(engine, el);
  return () => explorer.stop();
}

export default { render: explore };
