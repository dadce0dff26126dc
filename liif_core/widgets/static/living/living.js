// Widgets that live on a page without Jupyter, from what `living()` of the widget's Python class
// returns. Each function puts a widget into `el` and promises when it can be used.
import { Engine } from "../engine/engine.js";
import { piecesWithin } from "../engine/pieces.js";
import { checkPixels, photoFrom } from "../engine/uploads.js";
import { slideFrames } from "../frame_slider.js";
import { predict } from "../predict.js";
import { explore } from "../zoom_explorer.js";
import { heldBytes, heldWeights } from "./held.js";
import { LocalModel } from "./local_model.js";
import { unpackedWeights } from "./packed.js";

export const WIDGETS = { predict: livePredict, frames: liveFrames, explorer: liveExplorer };

async function livePredict({ question, choices, answer, reveals }, el) {
  const commit = ({ choice }, model) => {
    model.set("choice", choice);
    model.set("right", choice === answer);
    model.set("measured", answer);
    model.set("revealed", reveals[choice]);
    model.set("commits", model.get("commits") + 1);
  };
  const nothing = { choice: null, right: null, revealed: "", measured: null, commits: 0 };
  predict({ model: new LocalModel({ question, choices, ...nothing }, commit), el });
}

async function liveFrames({ labels, alt, index, frames }, el) {
  const draw = ({ type, index: asked }, model) => {
    if (type === "frame") model.emit("msg:custom", { type, index: asked }, [heldBytes(frames[asked])]);
  };
  slideFrames({ model: new LocalModel({ labels, alt, index }, draw), el });
}

async function liveExplorer(data, el) {
  const { kernels: { plain, relaxed }, worker } = window.liif;
  const kernels = { plain: heldBytes(plain), relaxed: heldBytes(relaxed) };
  await exploreHeld(data, el, piecesWithin(kernels, worker));
}

// An explorer from what is held, here or on the page; pieces: of the engine.
export async function exploreHeld({ photo, name, models, values, weights: packed = {} }, el, pieces) {
  const weights = {};
  for (const [model, mark] of Object.entries(models)) {
    weights[model] = packed[mark] ? await unpackedWeights(packed[mark]) : await heldWeights(mark);
  }
  const opened = await photoFrom([heldBytes(photo)], `${name}.png`);
  checkPixels();
  const engine = new Engine({ photo: opened, weights, pieces, values: { ...values, kernel: false } });
  try {
    await engine.ready;
  } catch (error) {
    engine.stop();
    throw error;
  }
  const stop = explore({ model: engine, el });
  el.engine = engine; // for whoever examines the page
  return () => {
    stop();
    engine.stop();
  };
}
