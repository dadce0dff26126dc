// A slider over frames that the kernel draws on request; each arrives as a lossless PNG.
import { control, conversation, element, spokenLine } from "./shared.js";

class Slider {
  constructor(model, el) {
    this.model = model;
    this.labels = model.get("labels");
    this.wanted = undefined; // where the slider stands
    this.asked = null; // the one frame in flight; those that it passed meanwhile are skipped
    this.settled = null; // the frame in sight, or whose error is
    this.build(el);
    this.kernel = conversation(model, this.note, () => (this.asked = null));
    this.slider.addEventListener("input", () => {
      model.set("index", Number(this.slider.value));
      this.kernel.save();
      this.follow();
    });
    this.follow = () => this.move(model.get("index"));
    this.hear = (answer, buffers) => this.receive(answer, buffers);
    model.on("msg:custom", this.hear);
    model.on("change:index", this.follow);
    this.follow();
  }

  build(el) {
    const max = this.labels.length - 1;
    this.slider = control("input", { type: "range", min: 0, max, step: 1 });
    this.slider.setAttribute("aria-label", this.model.get("alt"));
    this.position = element("span", { className: "liif-position" });
    this.picture = element("img", { alt: "" });
    this.label = element("figcaption");
    this.figure = element("figure", {}, this.picture, this.label);
    this.note = spokenLine("p", "liif-note");
    el.classList.add("liif-widget", "liif-frame-slider");
    el.append(element("div", { className: "liif-track" }, this.slider, this.position));
    el.append(this.figure, this.note);
  }

  move(index) {
    this.wanted = index;
    this.slider.value = index;
    this.slider.setAttribute("aria-valuetext", this.labels[index]);
    this.position.textContent = `${index + 1} / ${this.labels.length}`;
    this.request();
  }

  request() {
    this.figure.setAttribute("aria-busy", String(this.settled !== this.wanted));
    if (this.asked !== null || this.settled === this.wanted) return;
    this.asked = this.wanted;
    this.kernel.ask({ type: "frame", index: this.asked });
  }

  // Every view of this widget hears every answer: take our own, and any that we want anyway.
  receive({ type, index, message }, buffers) {
    const ours = index === this.asked;
    if (ours) {
      this.asked = null;
      this.kernel.answered();
    }
    const useful = index === this.wanted || (ours && this.settled !== this.wanted);
    if (useful && index !== this.settled) {
      this.settled = index;
      if (type === "frame") this.show(index, buffers[0]);
      else this.fail(index, message);
    }
    this.request();
  }

  show(index, png) {
    const { picture, label } = this;
    URL.revokeObjectURL(picture.src);
    this.note.textContent = "";
    picture.onload = () => {
      picture.alt = `${this.model.get("alt")}: ${this.labels[index]}`;
      picture.hidden = false;
      label.textContent = this.labels[index];
    };
    picture.src = URL.createObjectURL(new Blob([png], { type: "image/png" }));
  }

  fail(index, message) {
    this.picture.onload = null;
    this.picture.hidden = true; // the frame of another value must not stand for this one
    this.label.textContent = this.labels[index];
    this.note.textContent = message;
  }

  stop() {
    this.kernel.answered();
    this.model.off("msg:custom", this.hear);
    this.model.off("change:index", this.follow);
    URL.revokeObjectURL(this.picture.src);
  }
}

// Show a slider in `el`. Returns a function that ends it.
export function slideFrames({ model, el }) {
  const slider = new Slider(model, el);
  return () => slider.stop();
}

export default { render: slideFrames };
