// What every widget of this package uses. `assets.py` joins this file to each widget's module.

// Make an element: element("p", { className: "note" }, "text or elements", …).
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Make something that takes the focus. Without the attribute, on the very element, JupyterLab
// takes the arrow keys away from radio buttons and sliders, to move among cells.
export function control(tag, properties) {
  const made = element(tag, properties);
  made.dataset.lmSuppressShortcuts = "true";
  return made;
}

// The way to the kernel, with a line in `note` when it leaves a question unanswered for a while.
export function conversation(model, note, onSilence, seconds = 4) {
  let timer;
  const silence = () => {
    clearTimeout(timer);
    note.textContent =
      "No answer from the kernel yet: it is busy, or it has stopped. " +
      "If it was restarted, run this cell again.";
    onSilence();
  };
  const attempt = (send) => {
    try {
      send();
    } catch {
      silence(); // Jupyter knows already that nobody will hear it
    }
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(silence, 1000 * seconds);
  };
  return {
    wait,
    ask(question, buffers = []) {
      wait();
      attempt(() => model.send(question, undefined, buffers));
    },
    save: () => attempt(() => model.save_changes()),
    answered() {
      clearTimeout(timer);
      note.textContent = "";
    },
  };
}
