// The engine's workers, and what each of them is asked.
export class Pool {
  constructor(count) {
    this.workers = Array.from({ length: count }, () => new Colleague());
  }

  get count() {
    return this.workers.length;
  }

  // Promise what worker `number` says.
  ask(number, call, fields) {
    return this.workers[number % this.count].ask(call, fields);
  }

  everyone(call, fields) {
    return Promise.all(this.workers.map((worker) => worker.ask(call, fields)));
  }

  // The number of the worker that has least to do.
  idlest() {
    const waiting = this.workers.map(({ open }) => open.size);
    return waiting.indexOf(Math.min(...waiting));
  }

  stop() {
    for (const { worker } of this.workers) worker.terminate();
  }
}

class Colleague {
  constructor() {
    this.open = new Map(); // id -> { resolve, reject }
    this.asked = 0;
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data: { id, result, failed } }) => {
      const { resolve, reject } = this.open.get(id);
      this.open.delete(id);
      if (failed) reject(new Error(failed));
      else resolve(result);
    };
    this.worker.onerror = (event) => this.fail(event.message);
  }

  ask(call, fields) {
    this.asked += 1;
    const id = this.asked;
    return new Promise((resolve, reject) => {
      this.open.set(id, { resolve, reject });
      this.worker.postMessage({ id, call, fields });
    });
  }

  fail(message) {
    const text = `A part of the engine has stopped (${message ?? "no reason given"}); reload the page.`;
    for (const { reject } of this.open.values()) reject(new Error(text));
    this.open.clear();
  }
}
