// Saves what the screen shows as a PNG, at screen size or for printing: strip by strip onto
// a canvas of the browser, so that it can be followed and cancelled.
import { control, element, freshName, spokenLine } from "./shared.js";
import { withNotes } from "./zoom_png.js";
import { decoded } from "./zoom_questions.js";

const STRIP_PIXELS = 250_000;
const MOST_PIXELS = 100_000_000; // what browsers' canvases and a few hundred megabytes can hold
const MOST_SIDE = 16_384;
const NO_SIZE = "Give a width and a density greater than 0.";

// The form: which size, and the buttons.
function savingForm() {
  const name = freshName("liif-save"); // the choices of one form exclude one another
  const number = (min, max, value, label) => {
    const made = control("input", { type: "number", min, max, step: "any", value });
    made.setAttribute("aria-label", label);
    return made;
  };
  const form = {
    screenSize: control("input", { type: "radio", name, checked: true }),
    printSize: control("input", { type: "radio", name }),
    screenText: element("span"),
    printText: element("span", { className: "liif-quiet" }),
    width: number(1, 200, 15, "width in centimetres"),
    density: number(50, 1200, 300, "dots per inch"),
    save: control("button", { type: "button", textContent: "Save PNG" }),
    cancel: control("button", { type: "button", hidden: true, textContent: "Cancel" }),
    progress: element("progress", { max: 1, value: 0, hidden: true }),
    said: spokenLine("span", "liif-said"),
  };
  form.progress.setAttribute("aria-label", "rendering");
  form.root = element(
    "fieldset",
    { className: "liif-saving", hidden: true },
    element("legend", {}, "Save what is on screen"),
    element("label", {}, form.screenSize, form.screenText),
    element("label", {}, form.printSize, "for printing"),
    element(
      "span", { className: "liif-print" },
      form.width, " cm wide at ", form.density, " dpi ", form.printText,
    ),
    element("div", { className: "liif-row" }, form.save, form.cancel, form.progress, form.said),
  );
  return form;
}

export class Saving {
  // ask(type, fields): see Questions.askOfPhoto; shown() -> { view, left, right, split, name };
  // story(columns) -> how a picture so wide is made, { how, generated }.
  constructor({ ask, shown, story }) {
    Object.assign(this, { ask, shown, story });
    this.form = savingForm();
    this.root = this.form.root;
    this.job = null;
    const { save, cancel, width, density, printSize } = this.form;
    save.addEventListener("click", () => this.start());
    cancel.addEventListener("click", () => {
      this.stop("Cancelled; nothing was saved.");
      save.focus();
    });
    for (const field of [width, density]) {
      field.addEventListener("input", () => {
        printSize.checked = true;
        this.measure();
      });
    }
  }

  toggle(open) {
    this.root.hidden = !open;
    if (!this.job) this.tell("");
    this.measure();
  }

  // [rows, columns] of the picture: on screen, and as it would be printed.
  sizes() {
    const [rows, columns] = this.shown().view.spans.map(({ count }) => count);
    const { width, density } = this.form;
    const across = Math.round((Number(width.value) / 2.54) * Number(density.value));
    return { screen: [rows, columns], print: [Math.max(1, Math.round((across * rows) / columns)), across] };
  }

  measure() {
    if (this.root.hidden) return;
    const { screen, print } = this.sizes();
    const { centre, magnification } = this.shown().view;
    if (`${centre} ${magnification}` !== this.toldOf && !this.job) this.tell("");
    this.form.screenText.textContent = `as on screen, ${screen[1]} × ${screen[0]} pixels`;
    this.form.printText.textContent = print[1] >= 1 ? `= ${print[1]} × ${print[0]} pixels` : "";
  }

  start() {
    const { screen, print } = this.sizes();
    const [rows, columns] = this.form.printSize.checked ? print : screen;
    if (!(columns >= 1)) return this.tell(NO_SIZE);
    if (rows * columns > MOST_PIXELS || Math.max(rows, columns) > MOST_SIDE) {
      return this.tell(
        `${columns} × ${rows} pixels are more than a browser can put together; ` +
          "choose a smaller print, or the command line: liif zoom",
      );
    }
    const { view, left, right, split, name } = this.shown();
    const { centre, magnification, screen: pixels, spans } = view;
    const { first, count } = spans[1];
    this.show(true);
    this.run({
      name: `${name}_x${Number(magnification.toPrecision(3))}.png`,
      canvas: element("canvas", { width: columns, height: rows }),
      told: this.story(columns),
      strip: Math.max(1, Math.floor(STRIP_PIXELS / columns)),
      form: {
        view: { centre, magnification, screen: pixels },
        left,
        right,
        split: Math.min(Math.max((split - first) / count, 0), 1),
        size: [rows, columns],
      },
    });
  }

  // Ask for strip after strip, and hand out the file. A job that another has taken the place of,
  // or none, ends without a word.
  async run(job) {
    this.job = job;
    try {
      const blob = await this.paint(job);
      if (this.job !== job) return;
      download(blob, job.name);
      this.stop(`Saved: ${job.name}, ${job.canvas.width} × ${job.canvas.height} pixels.`);
    } catch (error) {
      if (this.job === job) this.stop(error.message);
    }
  }

  async paint(job) {
    const { canvas, strip, form, told } = job;
    let said; // what the first strip's file says, the whole file says
    for (let top = 0; top < canvas.height; top += strip) {
      const rows = [top, Math.min(top + strip, canvas.height)];
      const answer = await this.ask("strip", { ...form, rows });
      if (this.job !== job) return null;
      if (!answer) throw new Error("Another photo was opened; nothing was saved.");
      if (answer.failed) throw new Error(answer.failed);
      said ??= answer.pictures[0];
      const bitmap = await decoded(answer.pictures[0], "image/png");
      canvas.getContext("2d").drawImage(bitmap, 0, top);
      bitmap.close();
      if (this.job === job) this.form.progress.value = rows[1] / canvas.height;
    }
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    if (!blob) throw new Error("The browser has not enough memory for this size.");
    return withNotes(blob, said, told);
  }

  stop(text) {
    this.job = null;
    this.show(false);
    this.tell(text);
  }

  show(working) {
    const { save, cancel, progress } = this.form;
    save.hidden = working;
    cancel.hidden = !working;
    progress.hidden = !working;
    progress.value = 0;
    if (!working) return;
    this.tell("");
    cancel.focus();
  }

  // What is said of one view is of no interest any more once there is another.
  tell(text) {
    const { centre, magnification } = this.shown().view;
    this.toldOf = `${centre} ${magnification}`;
    this.form.said.textContent = text;
  }

  // Nobody answered.
  giveUp() {
    if (this.job) this.stop("Nobody answered; nothing was saved.");
  }
}

function download(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
