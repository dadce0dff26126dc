// What is chosen by name: the method on each side of the split, and which parts of it are on.
import { control, element, spokenLine } from "./shared.js";

const SWITCHES = [
  ["local_ensemble", "local ensemble", "blend the answers of the four nearest latent codes"],
  ["cell_decoding", "cell decoding", "tell the decoder how large the asked-for pixel is"],
  ["feature_unfolding", "feature unfolding", "join each latent code with its eight neighbours"],
];

const MOST_SEED = 2 ** 31 - 1; // as the command line has it

// The seed of invented details: a number, and a button that takes the next one. What is no seed is not
// taken, but the nearest that is one, with a line that says so.
function seedControl() {
  const field = control("input", { type: "number", min: 0, max: MOST_SEED, step: 1, value: 0 });
  const another = control("button", { type: "button" });
  another.textContent = "another";
  another.title = "Invent the details anew, from the next seed.";
  const hint = spokenLine("span", "liif-said");
  const value = () => Math.min(Math.max(Math.round(Number(field.value)) || 0, 0), MOST_SEED);
  field.addEventListener("change", () => {
    const taken = value();
    const asked = field.value !== "" && Number(field.value) === taken;
    hint.textContent = asked ? "" : `A seed is a whole number from 0 to ${MOST_SEED}: ${taken} is taken.`;
    field.value = taken;
  });
  another.addEventListener("click", () => {
    field.value = (value() + 1) % (MOST_SEED + 1);
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
  const title = "which of the details that fit are invented: the same number, the same picture";
  const label = element("label", { title }, "seed", field);
  return {
    root: element("span", { className: "liif-seed" }, label, another, hint),
    value,
    set side(text) {
      field.setAttribute("aria-label", `${text}: seed`);
      another.setAttribute("aria-label", `${text}: another seed`);
    },
    show(seed) {
      if (seed !== value()) hint.textContent = ""; // chosen elsewhere
      field.value = seed;
    },
  };
}

// methods: [{ name, switches, model, seed }]; onChange(side), a side as messages.py knows it.
export function sideControls(title, methods, onChange) {
  const legend = element("legend", {}, title);
  const options = methods.map(({ name }) => element("option", { value: name }, name));
  const select = control("select", {});
  select.append(...options);
  select.setAttribute("aria-label", `${title}: method`);
  const boxes = new Map();
  const labels = SWITCHES.map(([key, text, title]) => {
    const box = control("input", { type: "checkbox", checked: true });
    boxes.set(key, box);
    return element("label", { title }, box, text);
  });
  const seed = seedControl();
  seed.side = title;
  const root = element("fieldset", { className: "liif-side" }, legend, select, ...labels, seed.root);

  const chosen = () => methods.find(({ name }) => name === select.value);

  function showSwitches() {
    SWITCHES.forEach(([key], number) => {
      labels[number].hidden = !chosen()?.switches.includes(key);
    });
    seed.root.hidden = chosen()?.seed === undefined;
  }

  function side() {
    const switches = [...boxes].map(([key, box]) => [key, box.checked]);
    const own = chosen()?.seed === undefined ? null : seed.value();
    return { method: select.value, ...Object.fromEntries(switches), seed: own };
  }

  root.addEventListener("change", () => {
    showSwitches();
    onChange(side());
  });

  return {
    root,
    isModel: () => chosen()?.model === true,
    set title(text) {
      legend.textContent = text;
      select.setAttribute("aria-label", `${text}: method`);
      seed.side = text;
    },
    show(value) {
      select.value = value.method;
      for (const [key, box] of boxes) box.checked = value[key] ?? true;
      if (chosen()?.seed !== undefined) seed.show(value.seed ?? chosen().seed);
      showSwitches();
    },
  };
}

// A button; its text is what it does.
export function button(text, title, onClick) {
  const made = control("button", { type: "button", title });
  made.textContent = text;
  made.setAttribute("aria-label", title);
  made.addEventListener("click", onClick);
  return made;
}

// A check box with its label.
export function toggle(text, title, checked, onChange) {
  const box = control("input", { type: "checkbox", checked });
  box.addEventListener("change", () => onChange(box.checked));
  const root = element("label", { title }, box, text);
  return { root, box };
}

// The handle between the two sides: a slider from 0 to 1 of the picture's width.
export function splitHandle(stage, { move, done }) {
  const handle = control("div", { className: "liif-split", tabIndex: 0 });
  handle.setAttribute("role", "slider");
  handle.setAttribute("aria-label", "where the picture is split");
  handle.setAttribute("aria-valuemin", "0");
  handle.setAttribute("aria-valuemax", "100");
  handle.append(element("span", { ariaHidden: "true" }, "◂▸"));

  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus({ preventScroll: true });
  });
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const { left, width } = stage.getBoundingClientRect();
    move((event.clientX - left) / width);
  });
  handle.addEventListener("pointerup", done);
  handle.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
    if (!step) return;
    move(Number(handle.dataset.at) + step);
    done();
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    root: handle,
    show(at, left, right) {
      handle.hidden = at === null;
      if (at === null) return;
      handle.dataset.at = at;
      handle.style.left = `${100 * at}%`;
      handle.setAttribute("aria-valuenow", String(Math.round(100 * at)));
      handle.setAttribute("aria-valuetext", `${left} left, ${right} right of ${Math.round(100 * at)}%`);
    },
  };
}
