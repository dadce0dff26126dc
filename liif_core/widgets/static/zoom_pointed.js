// The point under X-ray: asks for its anatomy, and shows it beside the colour on screen.
import { isExact } from "./zoom_picture.js";
import { sideText } from "./zoom_readout.js";
import { cellOf } from "./zoom_viewport.js";

const ZOOM_IN = "Zoom in: this small, the photo is averaged and no model is asked.";
const NO_MODEL = "Choose a model on one of the sides: the other methods have no latent codes.";

export class Pointed {
  // ask(type, fields): see Questions.askOfPhoto; redraw(): the marks have changed.
  constructor({ state, layers, stage, panel, ask, redraw }) {
    Object.assign(this, { state, layers, stage, panel, ask, redraw });
    this.asked = null; // the coordinate whose answer is awaited: of several, the last
    this.name = null; // of the side that was asked last; undefined where none has a model
  }

  // The shared point has changed, or the photo.
  follow() {
    const coord = this.state.engine.get("point");
    if (coord) return this.askAbout(coord);
    this.panel.clear();
    return this.forget();
  }

  askAgain() {
    const coord = this.state.engine.get("point");
    if (coord) this.askAbout(coord);
  }

  forget() {
    this.state.point = null;
    this.asked = null;
    this.redraw();
  }

  // The view has moved, or the split: the point may have come to stand on another side.
  moved() {
    const { state } = this;
    const coord = state.engine.get("point");
    if (this.name === null || !coord || !state.inSight(coord)) return;
    if (state.modelAt(coord) !== this.name) this.askAbout(coord);
    else if (state.point && state.sideAt(coord) !== this.shownOn) this.refreshColour();
  }

  async askAbout(coord) {
    const { state } = this;
    const name = state.modelAt(coord);
    this.name = name;
    if (!name) return this.refuse(NO_MODEL);
    if (!state.asks(name)) return this.refuse(ZOOM_IN);
    const question = { side: state.side(name), coord, cell: cellOf(state.view) };
    this.asked = question;
    const answer = await this.ask("xray", question);
    if (!answer || this.asked !== question) return;
    if (answer.failed) return this.refuse(answer.failed);
    this.asked = null;
    const codes = answer.codes.map(({ row, col }) => [row, col]);
    state.point = { coord, codes, answer: { ...question, ...answer }, name };
    this.refreshColour();
    this.redraw();
  }

  // There is no X-ray, nor marks of one: say why.
  refuse(why) {
    this.panel.say(why);
    this.forget();
  }

  // With the colour on screen, where the side that was asked shows the point without loss.
  refreshColour() {
    const { state, layers, stage } = this;
    if (!state.point) return;
    const { answer, name } = state.point;
    const { view } = state;
    const place = state.screenOf(answer.coord).map(Math.floor);
    const now = cellOf(view);
    this.shownOn = state.sideAt(answer.coord);
    const exact =
      layers[name]?.full && isExact(layers[name], view) && state.inSight(answer.coord) && this.shownOn === name &&
      answer.cell.every((value, axis) => Math.abs(value / now[axis] - 1) < 1e-9);
    this.panel.show(answer, view.photo, exact ? stage.colourAt(place) : null, this.standIn());
  }

  // Where the method that shows the point asks no codes: whose X-ray this is in its stead; else "".
  standIn() {
    const { state, shownOn } = this;
    if (state.isModel(shownOn)) return "";
    const { name, answer } = state.point;
    const whose = sideText(answer.side, state.methods, true);
    return `Here stands ${state.side(shownOn).method}, which asks no latent codes. From the ${name} side, ${whose} answers:`;
  }

  giveUp() {
    this.asked = null;
  }
}
