// In words and numbers: where the screen stands, and what each side shows.
import { element } from "./shared.js";
import { signed } from "./zoom_numbers.js";
import { cellOf } from "./zoom_viewport.js";

const KEYS = "Keys: + and − zoom, arrows move (Shift: farther), 0 shows all, Enter X-rays the middle.";
const AVERAGED = "below ×1 the photo is averaged down";
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
        ["model", modelText(state, trained)],
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

// Where the magnification stands in the models' training; of those that it is too small for, that they are
// not asked.
function modelText(state, trained) {
  const { magnification } = state.view;
  const models = state.shownSides().filter((name) => state.isModel(name));
  const range = rangeText(magnification, trained);
  const small = models.filter((name) => !state.asks(name));
  if (small.length === 0) return magnification < 1 - 1e-9 && models.length === 0 ? AVERAGED : range;
  const [{ name, least }] = small.map((side) => state.methodOf(side));
  const averaged = `below ×${least} the photo is averaged down; ${name} is asked from ×${least} on`;
  return small.length === models.length ? averaged : `${range}; ${averaged}`;
}

function rangeText(scale, [first, last]) {
  const range = `training range ×${first}–×${last}`;
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

// How a picture of what is on screen is made, for its file: { how, generated }; columns: of the picture.
export function storyOf(state, columns) {
  const { view, split, methods } = state;
  const { start, end } = view.spans[1];
  const scale = Number((columns / (end - start)).toPrecision(4));
  const names = state.shownSides();
  const generated = state.invented().map(({ name }) => name);
  const sides = names.map((name) => {
    const said = `${sideText(state.side(name), methods, state.asks(name))}, ×${scale}`;
    return generated.includes(name) ? `${said}, details are generated` : said;
  });
  const at = `${Math.round(100 * split)}%`;
  const how = sides.length === 2 ? `left of ${at}: ${sides[0]}; right of it: ${sides[1]}` : sides[0];
  return { how, generated: generated.length > 0 };
}

// A side as messages.py knows it, in words; asked: whether its model is asked, if it is one.
export function sideText(side, methods, asked) {
  const off = SWITCHABLE.filter((part) => !side[part]).map((part) => part.replace("_", " "));
  const { model, seed } = methods.find(({ name }) => name === side.method) ?? {};
  if (model && !asked) return `bicubic, in place of ${side.method}`;
  const without = model && off.length > 0 ? ` without ${off.join(", ")}` : "";
  return `${side.method}${without}${seed === undefined ? "" : `, seed ${side.seed ?? seed}`}`;
}
