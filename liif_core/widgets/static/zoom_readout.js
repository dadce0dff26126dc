// In words and numbers: where the screen stands, and what each side shows.
import { element } from "./shared.js";
import { cellOf } from "./zoom_viewport.js";
import { signed } from "./zoom_xray.js";

const KEYS = "Keys: + and − zoom, arrows move (Shift: farther), 0 shows all, Enter X-rays the middle.";
const SWITCHABLE = ["local_ensemble", "cell_decoding", "feature_unfolding"];

// trained: [first, last] magnification of the training; alt: what the photo shows.
export function readoutPanel(trained, alt) {
  let shown = alt;
  const numbers = element("dl", { className: "liif-readout" });
  const aloud = element("p", { className: "liif-aloud" }); // heard, not seen
  aloud.setAttribute("role", "status");
  return {
    numbers,
    aloud,
    show(view) {
      const rows = [
        ["magnification", `×${view.magnification.toFixed(2)}`],
        ["centre y, x", view.centre.map((value) => signed(value, 4)).join(", ")],
        ["cell h, w", cellText(view)],
        ["model", rangeText(view.magnification, trained)],
      ];
      numbers.replaceChildren(
        ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
      );
    },
    rename(text) {
      shown = text;
    },
    // To be said once the picture rests.
    say(view) {
      const centre = view.centre.map((value) => value.toFixed(2)).join(", ");
      aloud.textContent = `×${view.magnification.toFixed(1)}, centre ${centre}`;
    },
    name: (view) => `${shown} ×${view.magnification.toFixed(2)}. ${KEYS}`,
  };
}

export function scaleText({ magnification }) {
  return `×${magnification.toFixed(magnification < 10 ? 2 : 1)}`;
}

function cellText(view) {
  const scale = view.magnification;
  const pixels =
    scale >= 1 ? `1/${scale.toFixed(2)} photo pixel` : `${(1 / scale).toFixed(2)} photo pixels`;
  return `${cellOf(view).map((value) => value.toFixed(6)).join(", ")}: ${pixels}`;
}

function rangeText(scale, [first, last]) {
  const range = `training range ×${first}–×${last}`;
  if (scale < 1 - 1e-9) return "below ×1 the photo is averaged down; a model is asked from ×1 on";
  if (scale < first * (1 - 1e-9)) return `△ below the ${range}`;
  if (scale <= last * (1 + 1e-9)) return `✓ within the ${range}`;
  return `△ beyond the ${range}: ${(scale / last).toFixed(1)} times`;
}

// A side as messages.py knows it, in words.
export function sideText(side, methods) {
  const off = SWITCHABLE.filter((part) => !side[part]).map((part) => part.replace("_", " "));
  const isModel = methods.find(({ name }) => name === side.method)?.model;
  return isModel && off.length > 0 ? `${side.method} without ${off.join(", ")}` : side.method;
}
