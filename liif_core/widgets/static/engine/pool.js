// The engine's workers, and what each of them is asked. One that dies is replaced once; what it was
// asked is asked again.
export class Pool {
  // make(): a new worker.
  constructor(make) {
    this.make = make;
    this.workers = [];
  }

  // Have so many workers from now on, all of them new: memory that a kernel took, it never gives back.
  begin(count) {
    this.stop();
    this.workers = Array.from({ length: count }, () => new Colleague(this.make));
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
    for (const worker of this.workers) worker.stop("The engine was ended.");
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
    this.worker.onmessageerror = () => this.fail("it could not read what it was asked");
  }

  receive({ id, result, failed }) {
    const question = this.open.get(id);
    if (!question) {
      if (failed) this.fail(failed); // a replacement, of what it has to know
      return;
    }
    this.open.delete(id);
    if (failed) question.reject(new Error(failed));
    else question.resolve(result);
  }

  // Whoever replaces this worker is told the same, unless it could not be done.
  async prepare(call, fields) {
    const before = this.known.get(call);
    this.known.set(call, fields);
    try {
      return await this.ask(call, fields);
    } catch (error) {
      if (before) this.known.set(call, before);
      else this.known.delete(call);
      throw error;
    }
  }

  ask(call, fields) {
    if (this.dead) return Promise.reject(new Error(this.dead));
    this.asked += 1;
    const id = this.asked;
    return new Promise((resolve, reject) => {
      this.worker.postMessage({ id, call, fields }); // which throws where memory is short
      this.open.set(id, { call, fields, resolve, reject });
    });
  }

  fail(message) {
    this.worker.terminate();
    if (this.dead) return;
    if (this.replaced) return this.giveUp(message);
    this.replaced = true;
    try {
      this.begin();
      const waiting = [...this.open].map(([id, { call, fields }]) => ({ id, call, fields }));
      for (const [call, fields] of this.known) {
        const asked = waiting.some((question) => question.fields === fields);
        if (!asked) this.worker.postMessage({ id: 0, call, fields });
      }
      for (const question of waiting) this.worker.postMessage(question);
    } catch (error) {
      this.fail(error.message);
    }
  }

  giveUp(message) {
    this.stop(`A part of the engine stopped twice (${message || "no reason given"}); reload the page.`);
  }

  // Do nothing any more, and say why.
  stop(reason) {
    this.worker.terminate();
    this.dead ||= reason;
    for (const { reject } of this.open.values()) reject(new Error(this.dead));
    this.open.clear();
  }
}
