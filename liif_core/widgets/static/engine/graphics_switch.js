// Whether the graphics processor answers: the engine's values `graphics`, false or true where there is
// one, and `graphics_note`, a line about it. It is off until somebody switches it on, and it is used
// only after it has answered as a worker does. Where it fails later, the workers go on alone.
import { Accelerator, adapterHere, checkAgainst } from "./accelerator.js";
import { GRAPHICS_MAPS, LEAST_CODES, graphicsNeeds } from "./budget.js";
import { isHeat } from "./networks.js";

const USED = "The graphics processor answers.";
const LOST = "The graphics processor was lost; this machine's cores answer again.";
const LITTLE = "beside this photo there is too little memory";
const unused = (why) => `The graphics processor is not used: ${why}.`;
const accelerates = (config) => !isHeat(config) && !config.noise; // its shaders have LIIF's decoder alone
const needsOf = ({ models }) => graphicsNeeds(Object.values(models));
const hasRoom = (explored) => explored.codes.most >= needsOf(explored) + LEAST_CODES;

export class GraphicsSwitch {
  // emulated: accept an adapter that a program plays; for tests.
  constructor(engine, emulated) {
    Object.assign(this, { engine, emulated, accelerator: null });
    engine.on("change:graphics", () => this.follow());
  }

  // Say that there is one, if so.
  async offer() {
    if (!Object.values(this.engine.models).every(accelerates)) return;
    const adapter = await adapterHere(this.emulated).catch(() => null);
    if (adapter && !this.engine.ended) this.engine.set("graphics", false);
  }

  follow() {
    if (!this.engine.get("graphics")) return this.end();
    const trying = this.begin();
    this.trying = trying;
    return trying.catch(({ message }) => {
      if (this.trying === trying) this.end(unused(message.split("\n")[0]));
    });
  }

  async begin() {
    const { engine } = this;
    engine.set("graphics_note", "Trying the graphics processor …");
    const { explored, opened, given } = engine;
    if (!hasRoom(explored)) throw new Error(LITTLE);
    const adapter = await adapterHere(this.emulated);
    if (!adapter) throw new Error("it is gone");
    const device = await adapter.requestDevice();
    const accelerator = new Accelerator(device, given.weights, GRAPHICS_MAPS);
    try {
      accelerator.open({ ...opened.photo, number: opened.number });
      await checkAgainst(explored, accelerator);
    } catch (error) {
      accelerator.stop();
      throw error;
    }
    if (!engine.get("graphics") || engine.ended) return accelerator.stop();
    device.lost.then(() => {
      if (this.accelerator === accelerator) this.end(LOST);
    });
    this.accelerator = accelerator;
    this.open(engine.opened);
    return engine.set("graphics_note", USED);
  }

  // Another photo, or the accelerator is new.
  open({ photo, number }) {
    if (!this.accelerator) return;
    const { explored } = this.engine;
    if (!hasRoom(explored)) return this.end(unused(LITTLE));
    if (this.accelerator.photo.number !== number) this.accelerator.open({ ...photo, number });
    explored.codes.most -= needsOf(explored);
    explored.graphics = this.accelerator;
  }

  end(note = "") {
    const { accelerator, engine } = this;
    this.accelerator = null;
    this.trying = null;
    if (engine.explored?.graphics) {
      engine.explored.graphics = null;
      engine.explored.codes.most += needsOf(engine.explored);
    }
    accelerator?.stop();
    if (engine.get("graphics")) engine.set("graphics", false); // which comes back here
    engine.set("graphics_note", note);
  }
}
