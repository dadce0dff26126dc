// What an explorer puts on the page, and how its parts stand to one another.
import { element, spokenLine } from "./shared.js";
import { button, sideControls, toggle } from "./zoom_controls.js";
import { readoutPanel } from "./zoom_readout.js";
import { Stage } from "./zoom_stage.js";
import { xrayPanel } from "./zoom_xray.js";

const GRAPHICS_TITLE = "let this machine's graphics processor answer, where it answers as its cores do";
const GRID = "show the photo's pixel grid and latent centres, from ×6 on";

export class Page {
  // engine: for the values that never change; actions: what the reader's hand asks for.
  constructor(engine, actions) {
    const methods = engine.get("methods");
    this.actions = actions;
    this.stage = new Stage(engine.get("screen"), actions);
    this.left = sideControls("Left of the split", methods, (side) => actions.choose("left", side));
    this.right = sideControls("Right of the split", methods, (side) => actions.choose("right", side));
    this.compare = toggle("split", "compare two methods", true, actions.compare);
    this.grid = toggle("pixels", GRID, engine.get("grid"), actions.redraw);
    this.graphics = toggle("graphics processor", GRAPHICS_TITLE, false, actions.accelerate);
    this.accelerated = spokenLine("p", "liif-note"); // whether it is in use
    this.readout = readoutPanel(engine.get("trained"), engine.get("alt"), methods);
    this.xray = xrayPanel();
    this.note = spokenLine("p", "liif-note"); // nobody answers
    this.wrong = spokenLine("p", "liif-note"); // what could not be shown
    this.failures = {}; // of each part of the picture
    this.told = spokenLine("p", "liif-note"); // about a photo that was opened
  }

  // overview, saving, upload: the parts that ask for themselves.
  build(el, { overview, saving, upload }) {
    const { actions } = this;
    el.classList.add("liif-widget", "liif-zoom");
    const save = button("Save …", "save what is on screen as a PNG", () => {
      saving.toggle(saving.root.hidden);
      save.setAttribute("aria-expanded", String(!saving.root.hidden));
    });
    const bar = element(
      "div", { className: "liif-row" },
      button("−", "zoom out", () => actions.zoom(0.8, this.stage.middle)),
      button("+", "zoom in", () => actions.zoom(1.25, this.stage.middle)),
      button("whole", "show the whole photo", actions.reset),
      this.compare.root, this.grid.root, this.graphics.root, save, upload.button, upload.input,
    );
    const main = element(
      "div", { className: "liif-main" },
      this.stage.root, bar, saving.root, this.note, this.wrong, this.told,
      this.accelerated,
      element("div", { className: "liif-where-now" }, overview.root, this.readout.numbers),
      this.readout.aloud,
    );
    el.append(
      element("div", { className: "liif-sides" }, this.left.root, this.right.root),
      element("div", { className: "liif-columns" }, main, this.xray.root),
    );
  }

  draw(state, layers) {
    const { view, split } = state;
    this.stage.draw(state, layers);
    this.compare.box.checked = split > 0;
    this.left.root.hidden = split === 0;
    this.right.title = split === 0 ? "Method" : "Right of the split";
    this.drawMarks(state);
    this.readout.show(state);
    this.stage.marks.setAttribute("aria-label", this.readout.name(view));
  }

  // Another photo is open now: that of the reader's file of this name.
  rename = (name) => this.readout.rename(`A photo of yours, ${name}.`);

  // on: whether the graphics processor is to answer; undefined where there is none.
  showGraphics(on, note = "") {
    this.graphics.root.hidden = on === undefined;
    this.graphics.box.checked = on === true;
    this.accelerated.textContent = note;
  }

  drawMarks(state) {
    this.stage.drawMarks(state, this.grid.box.checked);
  }

  // text: why a part of the picture could not be shown, or "".
  showFailure(name, text) {
    this.failures[name] = text;
    this.wrong.textContent = Object.values(this.failures).find(Boolean) ?? "";
    this.tell(this.told.textContent);
  }

  // text: about a photo that was opened, or not; nothing twice.
  tell(text) {
    this.told.textContent = text === this.wrong.textContent ? "" : text;
  }
}
