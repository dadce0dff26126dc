// Widgets that live on a page without Jupyter, from what `living()` of the widget's Python class
// returns. Each function puts a widget into `el` and promises when it can be used.
import { Engine } from "../engine/engine.js";
import { piecesWithin } from "../engine/pieces.js";
import { photoFrom } from "../engine/uploads.js";
import { slideFrames } from "../frame_slider.js";
import { predict } from "../predict.js";
import { explore } from "../zoom_explorer.js";
import { heldBytes, heldWeights } from "./held.js";
import { LocalModel } from "./local_model.js";

const PIXELS = 512; // enough to know whether a browser can read pictures back at all

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

async function liveExplorer({ photo, name, models, values }, el) {
  const weights = {};
  for (const [model, mark] of Object.entries(models)) weights[model] = await heldWeights(mark);
  const { kernel, worker } = window.liif;
  const pieces = piecesWithin(heldBytes(kernel), worker);
  const opened = await photoFrom([heldBytes(photo)], `${name}.png`);
  checkPixels();
  const engine = new Engine({ photo: opened, weights, pieces, values: { ...values, kernel: false } });
  try {
    await engine.ready;
  } catch (error) {
    engine.stop();
    throw error;
  }
  explore({ model: engine, el });
  el.engine = engine; // for whoever examines the page
}

// Some browsers disturb what is read back from a canvas, against being recognised. The photo's
// colours would be wrong without a word.
function checkPixels() {
  const canvas = new OffscreenCanvas(PIXELS, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const put = new ImageData(PIXELS, 1);
  for (let at = 0; at < put.data.length; at += 1) put.data[at] = at % 4 === 3 ? 255 : (at * 7) % 256;
  context.putImageData(put, 0, 0);
  const { data } = context.getImageData(0, 0, PIXELS, 1);
  if (data.some((value, at) => value !== put.data[at])) {
    throw new Error("This browser disturbs the colours of pictures that a page reads (a privacy setting).");
  }
}
