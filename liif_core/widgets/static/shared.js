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

// A line of text that is read aloud when it changes.
export function spokenLine(tag, className) {
  const made = element(tag, { className });
  made.setAttribute("role", "status");
  return made;
}

// Why something could not be done, in one line for the reader. What a browser itself throws names what
// it has not got, in words of its own that help nobody.
export function readable(error) {
  const foreign = error instanceof ReferenceError || error instanceof TypeError;
  return foreign ? "This browser lacks what LIIF needs here; use a newer one." : error.message.split("\n")[0];
}

// A name that nobody else has, on this page or on another. A counter would not do: every widget
// has a copy of this module to itself, and all of them would begin at the same number.
export function freshName(prefix) {
  const numbers = [...crypto.getRandomValues(new Uint32Array(2))];
  return [prefix, ...numbers.map((number) => number.toString(36))].join("-");
}

// Whether Jupyter answers, or the page itself.
export function hasKernel(engine) {
  return engine.get("kernel") !== false;
}

// The way to whoever answers, with a line in `note` when a question stays unanswered for a while.
export function conversation(engine, note, onSilence, seconds = 4) {
  let timer;
  let silent = false;
  const silence = () => {
    clearTimeout(timer);
    silent = true;
    note.textContent = hasKernel(engine)
      ? "No answer from the kernel yet: it is busy, or it has stopped. " +
        "If it was restarted, run this cell again."
      : "No answer yet: this machine is busy. If it lasts, reload the page.";
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
      attempt(() => engine.send(question, undefined, buffers));
    },
    save: () => attempt(() => engine.save_changes()),
    answered() {
      clearTimeout(timer);
      if (silent) note.textContent = "";
      silent = false;
    },
  };
}
