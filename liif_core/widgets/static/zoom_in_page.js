// The zoom explorer with its engine in the page: Python sends photo and weights once, and learns where
// the hand is. Where a browser lacks what the engine needs, Python answers after all.
import { Engine } from "./engine/engine.js";
import { piecesWithin } from "./engine/pieces.js";
import { checkPixels, photoFrom } from "./engine/uploads.js";
import { element, readable, spokenLine } from "./shared.js";
import { explore } from "./zoom_explorer.js";

const OWN = new Set(["photo", "kernel", "graphics", "graphics_note"]); // values that Python does not share
const WHOLE_PHOTO = { centre: [0, 0], magnification: 0 };

// Bytes from Python, as an ArrayBuffer of their own.
function bytesOf({ buffer, byteOffset, byteLength }) {
  return buffer.slice(byteOffset, byteOffset + byteLength);
}

// An explorer's engine: its values are shared with Python, but for the photo and who answers.
class InPage {
  // model: Jupyter's, of a ZoomExplorer.
  constructor(model, engine) {
    Object.assign(this, { model, engine, notes: new Set() });
    engine.on("uploaded", () => this.lookAtOwnPhoto());
    model.on("change:photo_file", () => this.follow());
  }

  get(name) {
    return OWN.has(name) ? this.engine.get(name) : this.model.get(name);
  }

  set(name, value) {
    (OWN.has(name) ? this.engine : this.model).set(name, value);
  }

  save_changes() {
    this.model.save_changes();
  }

  on(event, call) {
    this.home(event).on(event, call);
  }

  off(event, call) {
    this.home(event).off(event, call);
  }

  home(event) {
    const own = event === "msg:custom" || OWN.has(event.replace("change:", ""));
    return own ? this.engine : this.model;
  }

  send(question, callbacks, buffers) {
    this.engine.send(question, callbacks, buffers);
  }

  lookAtOwnPhoto() {
    this.model.set("point", null);
    this.model.set("view", WHOLE_PHOTO);
    this.model.set("own_photo", true);
    this.model.save_changes();
  }

  // Python shows another photo; where to look it says itself.
  async follow() {
    try {
      await this.engine.show(await photoOf(this.model));
      this.tell("");
    } catch (error) {
      this.tell(error.message);
    }
  }

  tell(text) {
    for (const note of this.notes) note.textContent = text;
  }
}

function photoOf(model) {
  return photoFrom([bytesOf(model.get("photo_file"))], `${model.get("photo").name}.png`);
}

async function begun(model) {
  const { kernels: { plain, relaxed }, worker, weights } = model.get("parts");
  checkPixels();
  const engine = new Engine({
    photo: await photoOf(model),
    weights: Object.fromEntries(Object.entries(weights).map(([name, part]) => [name, bytesOf(part)])),
    pieces: piecesWithin({ plain: bytesOf(plain), relaxed: bytesOf(relaxed) }, worker),
    values: { kernel: false },
  });
  try {
    await engine.ready;
  } catch (error) {
    engine.stop();
    throw error;
  }
  return new InPage(model, engine);
}

// One engine for all views of a widget.
export default () => {
  let starts;
  return {
    initialize({ model }) {
      starts = begun(model);
      starts.catch(() => {}); // every view says it
      return () => starts.then(({ engine }) => engine.stop(), () => {});
    },
    async render({ model, el }) {
      const note = spokenLine("p", "liif-note");
      note.textContent = "The zoom explorer is starting …";
      const place = element("div");
      el.append(note, place);
      try {
        const inPage = await starts;
        note.textContent = "";
        inPage.notes.add(note);
        place.engine = inPage.engine; // for whoever examines the page
        return explore({ model: inPage, el: place });
      } catch (error) {
        note.textContent = `Python answers here, not this page. ${readable(error)}`;
        return explore({ model, el: place });
      }
    },
  };
};
