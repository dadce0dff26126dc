// The reader's own photo, by button or drop: sent in parts to who answers, and to nowhere else.
import { control, hasKernel } from "./shared.js";

const PART = 1 << 20; // below every server's limit for one message
const MOST_BYTES = 400 * (1 << 20);

export class Uploading {
  // ask(type, fields, buffers) promises an answer; tell(text); opened(name) of a photo that is open
  // now; engine: who answers; target: where a photo may be dropped.
  constructor({ ask, tell, opened, engine, target }) {
    Object.assign(this, { ask, tell, opened });
    this.upload = 0; // the one that counts: a photo that is opened later takes its place
    this.busy = false;
    this.input = control("input", { type: "file", accept: "image/*", hidden: true });
    this.input.setAttribute("aria-label", "photo file");
    this.button = control("button", { type: "button" });
    this.button.textContent = "Open a photo …";
    const keeps = hasKernel(engine) ? "goes to your own kernel, and nowhere else" : "stays on this machine";
    this.button.title = `Or drop one on the picture. It ${keeps}.`;
    this.button.addEventListener("click", () => this.input.click());
    this.input.addEventListener("change", () => {
      if (this.input.files.length > 0) this.open(this.input.files[0]);
      this.input.value = ""; // so that the same file can be chosen again
    });
    this.acceptDrops(target);
  }

  async open(file) {
    this.upload += 1; // before anything is awaited, or two quick drops would share a number
    const { upload } = this;
    const current = () => upload === this.upload;
    this.busy = true;
    const told = await this.send(file, upload, current);
    if (!current()) return;
    this.busy = false;
    this.tell(told);
  }

  // Send a file part by part, as long as it is the current one; return what is to be told:
  // what went wrong, or what of the file is missing or not read.
  async send(file, upload, current) {
    const { name, size } = file;
    if (size > MOST_BYTES) return `${name} is larger than 400 MB; choose another.`;
    const parts = Math.max(1, Math.ceil(size / PART));
    let told = [];
    for (let part = 0; part < parts; part += 1) {
      if (parts > 1) this.tell(`Opening ${name}: ${Math.round((100 * part) / parts)}%`);
      let piece;
      try {
        piece = await file.slice(part * PART, (part + 1) * PART).arrayBuffer();
      } catch {
        return `${name} cannot be read; is it still there?`;
      }
      if (!current()) return "";
      const { failed, remarks } = await this.ask("upload", { upload, name, part, parts }, [piece]);
      if (!current()) return "";
      if (failed) return failed;
      told = remarks ?? [];
    }
    this.opened(name);
    return told.map((remark) => `${name}: ${remark}`).join(" ");
  }

  // Let photos be dropped on an element.
  acceptDrops(target) {
    for (const type of ["dragenter", "dragover"]) {
      target.addEventListener(type, (event) => {
        if (![...event.dataTransfer.types].includes("Files")) return;
        event.preventDefault();
        event.stopPropagation(); // JupyterLab would take the file for the notebook's folder
        target.dataset.dropping = "true";
      });
    }
    target.addEventListener("dragleave", () => delete target.dataset.dropping);
    target.addEventListener("drop", (event) => {
      delete target.dataset.dropping;
      if (event.dataTransfer.files.length === 0) return;
      event.preventDefault();
      event.stopPropagation();
      this.open(event.dataTransfer.files[0]);
    });
  }

  // Nobody answered: what is on its way is not waited for.
  giveUp() {
    if (!this.busy) return;
    this.upload += 1;
    this.busy = false;
    this.tell("");
  }
}
