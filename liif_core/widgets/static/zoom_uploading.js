// The reader's own photo, by button or drop: sent to the kernel in parts, and to nowhere else.
import { control, element } from "./shared.js";

const PART = 1 << 20; // below every server's limit for one message
const MOST_BYTES = 400 * (1 << 20);

// send(question, buffers); tell(text); target: where a photo may be dropped
export function uploading({ send, tell, target }) {
  const input = control("input", { type: "file", accept: "image/*", hidden: true });
  input.setAttribute("aria-label", "photo file");
  const button = control("button", { type: "button" });
  button.textContent = "Open a photo …";
  button.title = "Or drop one on the picture. It goes to your own kernel, and nowhere else.";

  let upload = null;
  let uploads = 0;

  async function begin(file) {
    if (file.size > MOST_BYTES) return tell(`${file.name} is larger than 400 MB; choose another.`);
    uploads += 1;
    const bytes = await file.arrayBuffer();
    const parts = Math.max(1, Math.ceil(bytes.byteLength / PART));
    upload = { number: uploads, name: file.name, bytes, parts };
    request(0);
  }

  function request(part) {
    const { number, name, bytes, parts } = upload;
    if (parts > 1) tell(`Opening ${name}: ${Math.round((100 * part) / parts)}%`);
    const piece = bytes.slice(part * PART, (part + 1) * PART);
    send({ type: "upload", upload: number, name, part, parts }, [piece]);
  }

  function receive({ upload: number, part, failed }) {
    if (number !== upload?.number) return;
    if (failed) tell(failed);
    else if (part + 1 < upload.parts) return request(part + 1);
    else tell("");
    upload = null;
  }

  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files.length > 0) begin(input.files[0]);
    input.value = ""; // so that the same file can be chosen again
  });
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
    begin(event.dataTransfer.files[0]);
  });

  return {
    button,
    input,
    receive,
    waiting: () => upload !== null,
    giveUp() {
      upload = null;
    },
  };
}
