// In words and numbers: where the screen stands, and what each side shows.
import { element } from "./shared.js";
import { signed } from "./zoom_numbers.js";
import { cellOf } from "./zoom_viewport.js";

const KEYS = "Keys: + and − zoom, arrows move (Shift: farther), 0 shows all, Enter X-rays the middle.";
const SWITCHABLE = ["local_ensemble", "cell_decoding", "feature_unfolding"];

// trained: [first, last] magnification of the training; alt: what the photo shows; methods: one of them
// may invent details.
export function readoutPanel(trained, alt, methods) {
  let shown = alt;
  const invents = methods.some(({ seed }) => seed !== undefined);
  const numbers = element("dl", { className: "liif-readout" });
  const aloud = element("p", { className: "liif-aloud" }); // heard, not seen
  aloud.setAttribute("role", "status");
  return {
    numbers,
    aloud,
    show(state) {
      const { view } = state;
      const rows = [
        ["magnification", `×${view.magnification.toFixed(2)}`],
        ["centre y, x", view.centre.map((value) => signed(value, 4)).join(", ")],
        ["cell h, w", cellText(view)],
        ["model", rangeText(view.magnification, trained)],
      ];
      if (invents) rows.push(["details", inventedText(state) || "nothing on screen comes from noise"]);
      numbers.replaceChildren(
        ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
      );
    },
    rename(text) {
      shown = text;
    },
    // To be said once the picture rests.
    say(state) {
      const { centre, magnification } = state.view;
      const place = `×${magnification.toFixed(1)}, centre ${centre.map((v) => v.toFixed(2)).join(", ")}`;
      const invented = inventedText(state);
      aloud.textContent = invented ? `${place}. Details: ${invented}` : place;
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
  const times = (scale / last).toFixed(1);
  return times === "1.0" ? `△ just beyond the ${range}` : `△ beyond the ${range}: ${times} times`;
}

// What of the screen is invented, in words, or "".
function inventedText(state) {
  const found = state.invented();
  if (found.length === 0) return "";
  const [first, second] = found.map(({ seed }) => seed);
  let from = `from seed ${first}`;
  if (found.length === 2 && first !== second) from = `left from seed ${first}, right from seed ${second}`;
  else if (found.length === 1 && state.shownSides().length === 2) from = `${found[0].name} of the split, ${from}`;
  return `△ generated, ${from}: none of them is evidence`;
}

// A side as messages.py knows it, in words.
export function sideText(side, methods) {
  const off = SWITCHABLE.filter((part) => !side[part]).map((part) => part.replace("_", " "));
  const { model, seed } = methods.find(({ name }) => name === side.method) ?? {};
  const without = model && off.length > 0 ? ` without ${off.join(", ")}` : "";
  return `${side.method}${without}${seed === undefined ? "" : `, seed ${side.seed ?? seed}`}`;
}
