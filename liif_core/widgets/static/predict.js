// A question, 2–5 choices, a commitment; then the measured answer, which only the kernel knows.
import { control, conversation, element } from "./shared.js";

let views = 0;

function render({ model, el }) {
  el.classList.add("liif-widget", "liif-predict");
  const group = `liif-predict-${views++}`; // the radio buttons of one view exclude one another

  const radios = [];
  const marks = [];
  const rows = model.get("choices").map((text, index) => {
    const radio = control("input", { type: "radio", name: group, value: String(index) });
    const mark = element("span", { className: "liif-mark" });
    radios.push(radio);
    marks.push(mark);
    return element("label", {}, radio, element("span", {}, text, mark));
  });
  const question = element("legend", {}, model.get("question"));
  const choices = element("fieldset", {}, question, ...rows);
  const button = control("button", { type: "button" });
  const verdict = element("p", { className: "liif-verdict" });
  const reasons = element("div");
  const revealed = element("div", { className: "liif-revealed" }, verdict, reasons);
  revealed.setAttribute("role", "status");
  revealed.setAttribute("aria-live", "polite");
  const note = element("p", { className: "liif-note" });
  note.setAttribute("role", "status");
  el.append(choices, button, revealed, note);

  const picked = () => radios.findIndex((radio) => radio.checked);
  let choosing = true;
  const kernel = conversation(model, note, open);

  // An earlier verdict is taken away: it must not stand beside another choice.
  function open() {
    choosing = true;
    marks.forEach((mark) => (mark.textContent = ""));
    verdict.textContent = "";
    reasons.replaceChildren();
    choices.disabled = false;
    button.textContent = "Commit";
    button.disabled = picked() < 0;
  }

  function close(text) {
    choosing = false;
    choices.disabled = true;
    button.textContent = text;
  }

  function commit() {
    close("Committing …");
    button.disabled = true;
    kernel.ask({ type: "commit", choice: picked() });
  }

  function reveal() {
    const choice = model.get("choice");
    if (choice === null) return;
    kernel.answered();
    radios[choice].checked = true;
    marks.forEach((mark, index) => {
      const measured = index === model.get("measured");
      const wrong = index === choice && !measured;
      mark.textContent = measured ? "✓ measured" : wrong ? "✗ your choice" : "";
      mark.dataset.right = String(measured);
    });
    const [first, ...rest] = model.get("revealed").split("\n");
    verdict.textContent = first;
    verdict.dataset.right = String(model.get("right"));
    reasons.replaceChildren(...rest.map((line) => element("p", {}, line)));
    close("Choose again");
    button.disabled = false;
  }

  choices.addEventListener("change", () => {
    button.disabled = picked() < 0;
  });
  button.addEventListener("click", () => {
    if (choosing) {
      commit();
    } else {
      open();
      radios[picked()].focus();
    }
  });
  model.on("change:commits", reveal);
  open();
  reveal();

  return () => {
    kernel.answered();
    model.off("change:commits", reveal);
  };
}

export default { render };
