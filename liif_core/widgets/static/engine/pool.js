// The engine's workers, and what each of them is asked. One that dies is replaced once; what it was
// asked is asked again.
export class Pool {
  // make(): a new worker.
  constructor(count, make) {
    this.workers = Array.from({ length: count }, () => new Colleague(make));
  }

  get count() {
    return this.workers.length;
  }

  // Promise what worker `number` says.
  ask(number, call, fields) {
    return this.workers[number % this.count].ask(call, fields);
  }

  // Tell all workers what each needs to know before it is asked anything.
  prepare(call, fields) {
    return Promise.all(this.workers.map((worker) => worker.prepare(call, fields)));
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
  constructor(make) {
    this.make = make;
    this.open = new Map(); // id -> { call, fields, resolve, reject }
    this.known = new Map(); // call -> fields: what a replacement has to be told
    this.asked = 0;
    this.replaced = false;
    this.dead = "";
    this.begin();
  }

  begin() {
    this.worker = this.make();
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = ({ message }) => this.fail(message);
  }

  receive({ id, result, failed }) {
    const question = this.open.get(id);
    if (!question) return; // a replacement that was told what it has to know
    this.open.delete(id);
    if (failed) question.reject(new Error(failed));
    else question.resolve(result);
  }

  prepare(call, fields) {
    this.known.set(call, fields);
    return this.ask(call, fields);
  }

  ask(call, fields) {
    if (this.dead) return Promise.reject(new Error(this.dead));
    this.asked += 1;
    const id = this.asked;
    return new Promise((resolve, reject) => {
      this.open.set(id, { call, fields, resolve, reject });
      this.worker.postMessage({ id, call, fields });
    });
  }

  fail(message) {
    this.worker.terminate();
    if (this.replaced) return this.giveUp(message);
    this.replaced = true;
    this.begin();
    for (const [call, fields] of this.known) this.worker.postMessage({ id: 0, call, fields });
    for (const [id, { call, fields }] of this.open) this.worker.postMessage({ id, call, fields });
  }

  giveUp(message) {
    this.dead = `A part of the engine stopped twice (${message || "no reason given"}); reload the page.`;
    for (const { reject } of this.open.values()) reject(new Error(this.dead));
    this.open.clear();
  }
}
