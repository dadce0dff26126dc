// Saves what the screen shows as a PNG, at screen size or for printing: strip by strip from the
// kernel onto a canvas of the browser, so that it can be followed and cancelled.
import { control, element } from "./shared.js";

const STRIP_PIXELS = 250_000;
const MOST_PIXELS = 100_000_000; // what browsers' canvases and a few hundred megabytes can hold
const MOST_SIDE = 16_384;

let panels = 0;

// send(question); shown() -> { view, left, right, split, name }
export function savingPanel({ send, shown }) {
  const name = `liif-save-${(panels += 1)}`; // the choices of one panel exclude one another
  const screenSize = control("input", { type: "radio", name, checked: true });
  const printSize = control("input", { type: "radio", name });
  const screenText = element("span");
  const printText = element("span", { className: "liif-quiet" });
  const width = control("input", { type: "number", min: 1, max: 200, step: "any", value: 15 });
  const density = control("input", { type: "number", min: 50, max: 1200, step: "any", value: 300 });
  width.setAttribute("aria-label", "width in centimetres");
  density.setAttribute("aria-label", "dots per inch");
  const save = control("button", { type: "button" });
  save.textContent = "Save PNG";
  const cancel = control("button", { type: "button", hidden: true });
  cancel.textContent = "Cancel";
  const progress = element("progress", { max: 1, value: 0, hidden: true });
  progress.setAttribute("aria-label", "rendering");
  const said = element("span", { className: "liif-said" });
  said.setAttribute("role", "status");
  const root = element(
    "fieldset",
    { className: "liif-saving", hidden: true },
    element("legend", {}, "Save what is on screen"),
    element("label", {}, screenSize, screenText),
    element("label", {}, printSize, "for printing"),
    element("span", { className: "liif-print" }, width, " cm wide at ", density, " dpi ", printText),
    element("div", { className: "liif-row" }, save, cancel, progress, said),
  );

  let job = null;
  let jobs = 0;

  function size() {
    const { spans } = shown().view;
    const [rows, cols] = spans.map(({ count }) => count);
    if (!printSize.checked) return [rows, cols];
    const across = Math.round((Number(width.value) / 2.54) * Number(density.value));
    return [Math.max(1, Math.round((across * rows) / cols)), across];
  }

  function measure() {
    if (root.hidden) return;
    const { spans } = shown().view;
    screenText.textContent = `as on screen, ${spans[1].count} × ${spans[0].count} pixels`;
    const across = Math.round((Number(width.value) / 2.54) * Number(density.value));
    const down = Math.max(1, Math.round((across * spans[0].count) / spans[1].count));
    printText.textContent = across >= 1 ? `= ${across} × ${down} pixels` : "";
  }

  function start() {
    const [rows, cols] = size();
    if (!(cols >= 1)) return tell("Give a width and a density greater than 0.");
    if (rows * cols > MOST_PIXELS || Math.max(rows, cols) > MOST_SIDE) {
      return tell(
        `${cols} × ${rows} pixels are more than a browser can put together; ` +
          "choose a smaller print, or the command line: liif zoom",
      );
    }
    const { view, left, right, split, name } = shown();
    const { first, count } = view.spans[1];
    const canvas = element("canvas", { width: cols, height: rows });
    jobs += 1;
    job = {
      number: jobs,
      name: `${name}_x${Number(view.magnification.toPrecision(3))}.png`,
      canvas,
      done: 0,
      strip: Math.max(1, Math.floor(STRIP_PIXELS / cols)),
      form: {
        view: { centre: view.centre, magnification: view.magnification, screen: view.screen },
        left,
        right,
        split: Math.min(Math.max((split - first) / count, 0), 1),
        size: [rows, cols],
      },
    };
    show(true);
    request();
  }

  function request() {
    const rows = [job.done, Math.min(job.done + job.strip, job.canvas.height)];
    send({ type: "strip", job: job.number, rows, ...job.form });
  }

  async function receive(answer, png) {
    if (!job || answer.job !== job.number) return; // cancelled
    if (answer.failed) return stop(answer.failed);
    const current = job;
    const bitmap = await createImageBitmap(new Blob([png], { type: "image/png" }));
    if (job !== current) return;
    job.canvas.getContext("2d").drawImage(bitmap, 0, answer.rows[0]);
    bitmap.close();
    job.done = answer.rows[1];
    progress.value = job.done / job.canvas.height;
    if (job.done < job.canvas.height) return request();
    const blob = await new Promise((resolve) => job.canvas.toBlob(resolve, "image/png"));
    if (job !== current) return;
    if (!blob) return stop("The browser has not enough memory for this size.");
    const link = element("a", { href: URL.createObjectURL(blob), download: job.name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    stop(`Saved: ${job.name}, ${job.canvas.width} × ${job.canvas.height} pixels.`);
  }

  function stop(text) {
    job = null;
    show(false);
    tell(text);
  }

  function show(working) {
    save.hidden = working;
    cancel.hidden = !working;
    progress.hidden = !working;
    progress.value = 0;
    if (working) {
      tell("");
      cancel.focus();
    }
  }

  function tell(text) {
    said.textContent = text;
  }

  save.addEventListener("click", start);
  cancel.addEventListener("click", () => {
    stop("Cancelled; nothing was saved.");
    save.focus();
  });
  for (const field of [width, density]) {
    field.addEventListener("input", () => {
      printSize.checked = true;
      measure();
    });
  }
  return {
    root,
    measure,
    receive,
    stop,
    waiting: () => job !== null,
    giveUp: () => job && stop("The kernel did not answer; nothing was saved."),
    toggle(open) {
      root.hidden = !open;
      measure();
    },
  };
}
