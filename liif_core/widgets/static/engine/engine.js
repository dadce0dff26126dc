// LIIF in the browser, as the explorer's engine. What is asked is answered by a pool of workers on
// this machine; neither photo nor question leaves the page. A page needs no more than
//
//   const photo = await photoFrom([bytes of a file], "portrait.png");   // uploads.js
//   const engine = new Engine({ photo, weights: { LIIF: bytes }, pieces: piecesBeside() });
//   const stop = explore({ model: engine, el });                        // ../zoom_explorer.js
//   // … and when it is no longer wanted: stop(); engine.stop();
//
// with piecesBeside from beside.js where the engine lies in files, or piecesWithin from pieces.js
// where the page itself holds the kernels and the worker's script. `ready` is a promise that fails
// where the engine cannot work, with a line for the reader; every answer says that line, too.
// Beside the explorer's six methods (liif_core/explorer/QUESTIONS.md) there is `answer(question)`,
// which promises [answer, pictures], and `show(photo)`.
import { VERSION } from "../zoom_questions.js";
import { ANSWERS } from "./answers.js";
import { budget, workerNeeds } from "./budget.js";
import { Explored } from "./explored.js";
import { GraphicsSwitch } from "./graphics_switch.js";
import { chosenKernel } from "./kernels.js";
import { leastAsked } from "./networks.js";
import { Pool } from "./pool.js";
import { Uploads, photoFrom } from "./uploads.js";
import { readWeights } from "./weights.js";

const BASELINES = ["nearest", "bilinear", "bicubic"];
const ABLATIONS = ["local_ensemble", "cell_decoding", "feature_unfolding"];
const WHOLE = { local_ensemble: true, feature_unfolding: true, cell_decoding: true, seed: null };
const MOST_WORKERS = 4;

export class Engine {
  // photo: { height, width, rgb: (height, width, 3) in 8 bits, name }; weights: name -> ArrayBuffer,
  // as browser_weights.py writes them; pieces: { kernels: { plain, relaxed }, bytes of the two
  // builds or promises of them, worker(): a new worker }; values: of the explorer, in place of those below; workers: at most;
  // memory: bytes in all, where it is not for `budget` to say; emulated: whether a graphics processor
  // that a program plays will do, which is for tests.
  constructor({ photo, weights, pieces, values = {}, workers = defaultWorkers(), memory, emulated = false }) {
    const entries = Object.entries(weights).map(([name, bytes]) => [name, readWeights(bytes).config]);
    this.models = Object.fromEntries(entries);
    this.limits = { workers, memory };
    this.listeners = [];
    this.values = { ...startingValues(this.models), ...values, photo: described(photo, 0) };
    this.number = 0; // of the photo that the workers have
    this.uploads = new Uploads();
    this.graphics = new GraphicsSwitch(this, emulated);
    this.pool = new Pool(pieces.worker);
    this.ready = this.prepare(pieces.kernels, weights, photo);
    this.ready.catch(() => {}); // every answer says it
    this.opening = this.ready; // one photo after the other
  }

  async prepare(kernels, weights, photo) {
    const { build, module } = await chosenKernel(kernels);
    this.build = build; // for whoever examines the page
    this.given = { module, weights };
    if (this.ended) throw new Error("The engine was ended.");
    await this.open(photo, 0);
    this.graphics.offer();
  }

  // Explore another photo from now on, whole; own: the reader's, which "uploaded" tells.
  show(photo, own = false) {
    const shown = this.opening.then(() => this.showNext(photo, own));
    this.opening = shown.catch(() => {});
    return shown;
  }

  async showNext(photo, own) {
    const number = this.values.photo.number + 1;
    await this.open(photo, number);
    if (own) this.emit("uploaded");
    this.set("point", null);
    this.set("view", { centre: [0, 0], magnification: 0 });
    this.set("photo", described(photo, number));
  }

  // Open a photo, or keep the one before.
  async open(photo, number) {
    const { opened } = this;
    this.number = number; // from now on, what is asked about the photo before is stale
    try {
      await this.give(photo, number);
    } catch (error) {
      if (opened) await this.restore(opened);
      throw error;
    }
    this.opened = { photo, number };
    this.graphics.open(this.opened);
  }

  async give({ height, width, rgb }, number) {
    const needs = workerNeeds(Object.values(this.models));
    const { workers, codes, maps } = budget({ height, width }, this.limits.workers, this.limits.memory, needs);
    if (workers !== this.pool.count || maps !== this.maps) {
      this.maps = maps;
      this.pool.begin(workers);
      await this.pool.prepare("load", { ...this.given, memory: maps });
    }
    await this.pool.prepare("open", { height, width, rgb, number });
    this.explored = new Explored(this.pool, { height, width, number }, this.models, codes);
  }

  async restore({ photo, number }) {
    this.number = number;
    try {
      await this.give(photo, number);
    } catch {
      return; // whatever is asked will say it
    }
    this.emit("change:photo"); // what was asked meanwhile was stale: ask again
  }

  // ---- the six methods

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    if (JSON.stringify(this.values[name]) === JSON.stringify(value)) return;
    this.values[name] = value;
    this.emit(`change:${name}`);
  }

  save_changes() {} // one page: nobody else shares the values

  on(event, call) {
    this.listeners.push([event, call]);
  }

  off(event, call) {
    this.listeners = this.listeners.filter(([name, other]) => name !== event || other !== call);
  }

  send(question, _callbacks, buffers = []) {
    this.answer(question, buffers).then(([answer, pictures]) => this.emit("msg:custom", answer, pictures));
  }

  emit(event, ...values) {
    for (const [name, call] of [...this.listeners]) if (name === event) call(...values);
  }

  // ---- what is asked

  // Promise the answer to one question, whatever goes wrong: Session.answer.
  async answer(question, buffers = []) {
    const { type, viewer, tag, photo } = question;
    const envelope = { type, viewer, tag, ...("photo" in question ? { photo } : {}) };
    try {
      const [found, pictures] = await this.find(question, buffers);
      return [{ ...envelope, ...found }, pictures];
    } catch (error) {
      if ("photo" in question && photo !== this.number) return [{ ...envelope, stale: true }, []];
      return [{ ...envelope, failed: error.message.split("\n")[0] }, []];
    }
  }

  async find(question, buffers) {
    if (question.version !== VERSION) {
      throw new Error(`The explorer asks in version ${question.version}, not ${VERSION}: reload the page.`);
    }
    await this.ready;
    if (question.type === "upload") return [await this.upload(question, buffers[0]), []];
    if (!Object.hasOwn(ANSWERS, question.type)) {
      throw new Error(`This engine does not answer the question "${question.type}".`);
    }
    if (question.photo !== this.number) return [{ stale: true }, []];
    return ANSWERS[question.type](this.explored, question);
  }

  async upload(question, piece) {
    const parts = this.uploads.take(question, piece);
    if (!parts) return { done: false };
    await this.show(await photoFrom(parts, question.name || "The file"), true);
    return { done: true };
  }

  stop() {
    this.ended = true;
    this.graphics.end();
    this.pool.stop();
  }
}

function described({ height, width, name }, number) {
  return { height, width, name, number };
}

function startingValues(models) {
  const methods = BASELINES.map((name) => ({ name, switches: [] }));
  for (const [name, config] of Object.entries(models)) {
    const switches = ABLATIONS.filter((part) => config[part]);
    const chance = config.noise ? { seed: config.seed } : {};
    methods.push({ name, switches, model: true, least: leastAsked(config), ...chance });
  }
  return {
    version: VERSION,
    methods,
    screen: [480, 640],
    trained: [1, 4],
    alt: "A photo.",
    grid: true,
    view: { centre: [0, 0], magnification: 0 },
    left: { method: "bicubic", ...WHOLE },
    right: { method: Object.keys(models)[0], ...WHOLE },
    split: 0.5,
    point: null,
  };
}

function defaultWorkers() {
  return Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1);
}
