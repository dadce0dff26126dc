// A question, 2–5 choices, a commitment; then the measured answer, which only the kernel knows.
import { control, conversation, element, freshName, spokenLine } from "./shared.js";

class Question {
  constructor(model, el) {
    this.model = model;
    this.buildChoices();
    this.button = control("button", { type: "button" });
    this.verdict = element("p", { className: "liif-verdict" });
    this.reasons = element("div");
    const revealed = element("div", { className: "liif-revealed" }, this.verdict, this.reasons);
    revealed.setAttribute("role", "status");
    revealed.setAttribute("aria-live", "polite");
    const note = spokenLine("p", "liif-note");
    el.classList.add("liif-widget", "liif-predict");
    el.append(this.choices, this.button, revealed, note);

    this.kernel = conversation(model, note, () => this.open());
    this.choices.addEventListener("change", () => (this.button.disabled = this.picked() < 0));
    this.button.addEventListener("click", () => (this.choosing ? this.commit() : this.chooseAgain()));
    this.follow = () => this.reveal();
    model.on("change:commits", this.follow);
    this.open();
    this.reveal();
  }

  buildChoices() {
    const name = freshName("liif-predict"); // the choices of one question exclude one another
    const texts = this.model.get("choices");
    this.radios = texts.map((_, index) => control("input", { type: "radio", name, value: index }));
    this.marks = texts.map(() => element("span", { className: "liif-mark" }));
    const rows = texts.map((text, index) =>
      element("label", {}, this.radios[index], element("span", {}, text, this.marks[index])),
    );
    const legend = element("legend", {}, this.model.get("question"));
    this.choices = element("fieldset", {}, legend, ...rows);
  }

  picked() {
    return this.radios.findIndex((radio) => radio.checked);
  }

  // An earlier verdict is taken away: it must not stand beside another choice.
  open() {
    this.choosing = true;
    this.marks.forEach((mark) => (mark.textContent = ""));
    this.verdict.textContent = "";
    this.reasons.replaceChildren();
    this.choices.disabled = false;
    this.button.textContent = "Commit";
    this.button.disabled = this.picked() < 0;
  }

  chooseAgain() {
    this.open();
    this.radios[this.picked()].focus();
  }

  close(text) {
    this.choosing = false;
    this.choices.disabled = true;
    this.button.textContent = text;
  }

  commit() {
    this.close("Committing …");
    this.button.disabled = true;
    this.kernel.ask({ type: "commit", choice: this.picked() });
  }

  reveal() {
    const [choice, measured] = [this.model.get("choice"), this.model.get("measured")];
    if (choice === null) return;
    this.kernel.answered();
    this.radios[choice].checked = true;
    this.marks.forEach((mark, index) => {
      const right = index === measured;
      mark.textContent = right ? "✓ measured" : index === choice ? "✗ your choice" : "";
      mark.dataset.right = String(right);
    });
    const [first, ...rest] = this.model.get("revealed").split("\n");
    this.verdict.textContent = first;
    this.verdict.dataset.right = String(this.model.get("right"));
    this.reasons.replaceChildren(...rest.map((line) => element("p", {}, line)));
    this.close("Choose again");
    this.button.disabled = false;
  }

  stop() {
    this.kernel.answered();
    this.model.off("change:commits", this.follow);
  }
}

// Show a question in `el`. Returns a function that ends it.
export function predict({ model, el }) {
  const question = new Question(model, el);
  return () => question.stop();
}

export default { render: predict };
