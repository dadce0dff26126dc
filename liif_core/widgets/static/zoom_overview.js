// The whole photo, small: behind the picture until its frames have come, and below it as a map.
import { element } from "./shared.js";
import { drawOverview } from "./zoom_picture.js";
import { decoded } from "./zoom_questions.js";

export class Overview {
  // ask(type, fields): see Questions.askOfPhoto; look(coord): the reader points at the map.
  constructor({ state, ask, look }) {
    Object.assign(this, { state, ask });
    this.photos = 0;
    this.root = element("canvas", { className: "liif-overview" });
    this.root.setAttribute("role", "img");
    this.root.setAttribute("aria-label", "the whole photo, and where the screen stands on it");
    const move = (event) => event.buttons === 1 && look(placeOn(this.root, event));
    for (const type of ["pointerdown", "pointermove"]) this.root.addEventListener(type, move);
  }

  // Ask for that of the photo which is open now. It is thrown away if another photo is opened
  // before it has been decoded. Throws what the reader should know.
  async open() {
    this.photos += 1;
    const { photos, state } = this;
    state.backdrop = null;
    const answer = await this.ask("overview", {});
    if (!answer) return;
    if (answer.failed) throw new Error(answer.failed);
    const bitmap = await decoded(answer.pictures[0], "image/png");
    if (photos === this.photos) state.backdrop = bitmap;
    else bitmap.close();
  }

  draw() {
    if (this.state.backdrop) drawOverview(this.root, this.state.view, this.state.backdrop);
  }
}

// Where the pointer is on an element, [y, x] from -1 to 1.
function placeOn(target, { clientX, clientY }) {
  const { left, top, width, height } = target.getBoundingClientRect();
  return [(clientY - top) / height, (clientX - left) / width].map((at) => 2 * at - 1);
}
