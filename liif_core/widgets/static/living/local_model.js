// A widget's model on a page without Jupyter: the six methods that a widget's module calls.

export class LocalModel {
  // values: what Python would have shared; answer(question, model): called with each question.
  constructor(values, answer) {
    this.values = { ...values };
    this.answer = answer;
    this.listeners = [];
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    if (JSON.stringify(this.values[name]) === JSON.stringify(value)) return;
    this.values[name] = value;
    this.emit(`change:${name}`);
  }

  save_changes() {} // nobody else shares the values

  on(event, call) {
    this.listeners.push([event, call]);
  }

  off(event, call) {
    this.listeners = this.listeners.filter(([name, other]) => name !== event || other !== call);
  }

  send(question) {
    queueMicrotask(() => this.answer(question, this)); // as Jupyter does: never before it returns
  }

  emit(event, ...values) {
    for (const [name, call] of [...this.listeners]) if (name === event) call(...values);
  }
}
