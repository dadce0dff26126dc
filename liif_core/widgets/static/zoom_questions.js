// The explorer's questions, each with an answer of its own; liif_core/explorer/QUESTIONS.md lists
// them. Whoever answers is an engine: get, set, save_changes, on, off and send, nothing else.
import { conversation, freshName } from "./shared.js";

export const VERSION = 2; // liif_core/explorer/messages.py has the other side's
const SILENCE = 8; // seconds without an answer

export class Questions {
  // note: where silence is told; onSilence(): nobody has answered for a while.
  constructor(engine, note, onSilence) {
    this.engine = engine;
    this.viewer = freshName("viewer");
    this.tag = 0;
    this.open = new Map(); // tag -> { resolve, awaited }
    this.line = conversation(engine, note, () => this.silence(onSilence), SILENCE);
    this.hear = (answer, buffers) => this.receive(answer, buffers);
    engine.on("msg:custom", this.hear);
  }

  // Ask, and promise the answer: its fields, and `pictures`, which came with it. Where it
  // could not be given, `failed` says why. There is none before it comes, however late.
  ask(type, fields, buffers = []) {
    this.tag += 1;
    const { tag, viewer } = this;
    const promise = new Promise((resolve) => this.open.set(tag, { resolve, awaited: true }));
    this.line.ask({ ...fields, type, viewer, tag, version: VERSION }, buffers);
    return promise;
  }

  // The same about the photo that is open now: null if another one is when the answer comes.
  async askOfPhoto(type, fields) {
    const photo = this.photoNumber();
    const answer = await this.ask(type, { ...fields, photo });
    return answer.stale || photo !== this.photoNumber() ? null : answer;
  }

  photoNumber() {
    return this.engine.get("photo").number;
  }

  save() {
    this.line.save();
  }

  // Every view hears every answer: that of another has another viewer's name.
  receive(answer, buffers) {
    if (answer.viewer !== this.viewer) return;
    const question = this.open.get(answer.tag);
    if (!question) return;
    this.open.delete(answer.tag);
    this.line.answered();
    if ([...this.open.values()].some(({ awaited }) => awaited)) this.line.wait();
    question.resolve({ ...answer, pictures: buffers });
  }

  // An answer may still come; nobody counts on it.
  silence(onSilence) {
    for (const question of this.open.values()) question.awaited = false;
    onSilence();
  }

  stop() {
    this.engine.off("msg:custom", this.hear);
    this.line.answered();
    this.open.clear();
  }
}

// The picture in an answer, a file's bytes or pixels, or an error that can be shown.
export async function decoded(picture, type) {
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const source = picture instanceof ImageData ? picture : new Blob([picture], { type });
  try {
    return await createImageBitmap(source, options);
  } catch {
    throw new Error("A picture arrived that this browser cannot show; move the view to ask again.");
  }
}
