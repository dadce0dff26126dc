// A slider over frames that the kernel draws on request; each arrives as a lossless PNG.
import { control, conversation, element } from "./shared.js";

function render({ model, el }) {
  el.classList.add("liif-widget", "liif-frame-slider");
  const labels = model.get("labels");
  const slider = control("input", { type: "range", min: 0, max: labels.length - 1, step: 1 });
  slider.setAttribute("aria-label", model.get("alt"));
  const position = element("span", { className: "liif-position" });
  const picture = element("img", { alt: "" });
  const label = element("figcaption");
  const figure = element("figure", {}, picture, label);
  const note = element("p", { className: "liif-note" });
  note.setAttribute("role", "status");
  el.append(element("div", { className: "liif-track" }, slider, position), figure, note);

  let wanted; // where the slider stands
  let asked = null; // the one frame in flight; those that the slider passed meanwhile are skipped
  let settled = null; // the frame in sight, or whose error is
  const kernel = conversation(model, note, () => (asked = null));

  function move(index) {
    wanted = index;
    slider.value = wanted;
    slider.setAttribute("aria-valuetext", labels[wanted]);
    position.textContent = `${wanted + 1} / ${labels.length}`;
    request();
  }

  function request() {
    figure.setAttribute("aria-busy", String(settled !== wanted));
    if (asked !== null || settled === wanted) return;
    asked = wanted;
    kernel.ask({ type: "frame", index: asked });
  }

  // Every view of this widget hears every answer: take our own, and any that we want anyway.
  function receive({ type, index, message }, buffers) {
    const ours = index === asked;
    if (ours) {
      asked = null;
      kernel.answered();
    }
    const useful = index === wanted || (ours && settled !== wanted);
    if (useful && index !== settled) {
      settled = index;
      if (type === "frame") show(index, buffers[0]);
      else fail(index, message);
    }
    request();
  }

  function show(index, png) {
    URL.revokeObjectURL(picture.src);
    picture.onload = () => {
      picture.alt = `${model.get("alt")}: ${labels[index]}`;
      picture.hidden = false;
      label.textContent = labels[index];
    };
    picture.src = URL.createObjectURL(new Blob([png], { type: "image/png" }));
  }

  function fail(index, message) {
    picture.onload = null;
    picture.hidden = true; // the frame of another value must not stand for this one
    label.textContent = labels[index];
    note.textContent = message;
  }

  const follow = () => move(model.get("index"));
  slider.addEventListener("input", () => {
    model.set("index", Number(slider.value));
    kernel.save();
    follow();
  });
  model.on("msg:custom", receive);
  model.on("change:index", follow);
  follow();

  return () => {
    kernel.answered();
    model.off("msg:custom", receive);
    model.off("change:index", follow);
    URL.revokeObjectURL(picture.src);
  };
}

export default { render };
