// The point under X-ray: asks for its anatomy, and shows it beside the colour on screen.
import { isExact } from "./zoom_picture.js";
import { cellOf } from "./zoom_viewport.js";

const ZOOM_IN = "Zoom in: this small, the photo is averaged and no model is asked.";
const NO_MODEL = "Choose a model on one of the sides: the other methods have no latent codes.";

export class Pointed {
  // ask(type, fields): see Questions.askOfPhoto; redraw(): the marks have changed.
  constructor({ state, layers, stage, panel, ask, redraw }) {
    Object.assign(this, { state, layers, stage, panel, ask, redraw });
    this.asked = null; // the coordinate whose answer is awaited: of several, the last
  }

  // The shared point has changed, or the photo.
  follow() {
    const coord = this.state.engine.get("point");
    if (coord) return this.askAbout(coord);
    this.state.point = null;
    this.asked = null;
    this.panel.clear();
    this.redraw();
  }

  askAgain() {
    if (this.state.point) this.askAbout(this.state.point.coord);
  }

  async askAbout(coord) {
    const { state, panel } = this;
    this.asked = null;
    const name = state.modelAt(coord);
    if (!name) return panel.say(NO_MODEL);
    if (!state.asks(name)) return panel.say(ZOOM_IN);
    const question = { side: state.side(name), coord, cell: cellOf(state.view) };
    this.asked = question;
    const answer = await this.ask("xray", question);
    if (!answer || this.asked !== question) return;
    this.asked = null;
    if (answer.failed) return panel.say(answer.failed);
    const codes = answer.codes.map(({ row, col }) => [row, col]);
    state.point = { coord, codes, answer: { ...question, ...answer }, name };
    this.refreshColour();
    this.redraw();
  }

  // With the colour on screen, where the side that was asked shows the point without loss.
  refreshColour() {
    const { state, layers, stage } = this;
    if (!state.point) return;
    const { answer, name } = state.point;
    const { view } = state;
    const [row, column] = state.screenOf(answer.coord).map(Math.floor);
    const now = cellOf(view);
    const visible = row >= 0 && column >= 0 && row < view.screen[0] && column < view.screen[1];
    const exact =
      layers[name]?.full && isExact(layers[name], view) && visible && state.nameAt(column) === name &&
      answer.cell.every((value, axis) => Math.abs(value / now[axis] - 1) < 1e-9);
    this.panel.show(answer, view.photo, exact ? stage.colourAt([row, column]) : null);
  }

  giveUp() {
    this.asked = null;
  }
}
