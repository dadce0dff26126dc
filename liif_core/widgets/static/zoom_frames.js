// Asks for frames: coarse first, then full; at most two questions in flight.
//
// Each layer (left, right of the split) counts the changes of what it is to show. A frame carries
// the count it was asked at; one that is older than the frame on screen is dropped. A layer whose
// tiles the encoder has not read is asked again until it has (see liif_core/explorer/QUESTIONS.md).
const IN_FLIGHT = 2;
const SETTLED = 150; // milliseconds without a change, before the full frame is asked for
const IDLE = 400; // and before the encoder reads ahead

export class FrameQueue {
  // ask(type, fields) promises an answer, or null if the photo has changed; onPicture(name,
  // question, answer); onReading(name, answer or null); onFailed(name, text or "").
  constructor({ ask, onPicture, onReading, onFailed }) {
    Object.assign(this, { ask, onPicture, onReading, onFailed });
    this.layers = new Map();
    this.inFlight = new Set();
    this.changed = 0;
    this.visible = false;
    this.timer = undefined;
    this.ahead = { more: true, asked: false };
  }

  // what: { view, side }
  want(name, what) {
    const before = this.layers.get(name) ?? { count: 0, shown: 0, shownStage: "" };
    const fresh = { what, count: before.count + 1, stage: "coarse", reads: 0, sent: "" };
    this.layers.set(name, { ...before, ...fresh });
    this.changed = performance.now();
    this.ahead = { more: true, asked: false };
    this.next();
  }

  // Its count goes on when it is wanted again: it is what tells an old frame from a new one.
  forget(name) {
    const layer = this.layers.get(name);
    if (layer) this.layers.set(name, { ...layer, what: null, stage: "done" });
  }

  next() {
    clearTimeout(this.timer);
    if (!this.visible) return;
    const quiet = performance.now() - this.changed;
    for (const [name, layer] of this.layers) {
      const key = `${layer.count} ${layer.stage} ${layer.reads}`;
      if (layer.stage === "done" || layer.sent === key || this.inFlight.size >= IN_FLIGHT) continue;
      if (layer.stage === "full" && quiet < SETTLED) {
        this.later(SETTLED - quiet);
        continue;
      }
      layer.sent = key;
      this.askFrame(name, layer);
    }
    if (this.settled() && this.inFlight.size === 0) this.readAhead(quiet);
  }

  later(milliseconds) {
    this.timer = setTimeout(() => this.next(), milliseconds + 1);
  }

  async askFrame(name, { what, count, stage, reads }) {
    const full = stage === "full";
    const question = { ...what, reads, coarse: !full, lossless: full };
    const answer = await this.counted("frame", question);
    if (answer) this.take(name, { ...question, count, stage }, answer);
    this.next();
  }

  // While nobody waits, the encoder reads what the reader may look at next.
  async readAhead(quiet) {
    const { ahead } = this;
    const wanted = [...this.layers.values()].filter(({ what }) => what);
    if (wanted.length === 0 || !ahead.more || ahead.asked) return;
    if (quiet < IDLE) return this.later(IDLE - quiet);
    ahead.asked = true;
    const answers = await Promise.all(wanted.map(({ what }) => this.counted("ahead", what)));
    ahead.more = answers.some((answer) => answer?.more);
    ahead.asked = false;
    this.next();
  }

  async counted(type, fields) {
    const flight = {};
    this.inFlight.add(flight);
    try {
      return await this.ask(type, fields);
    } finally {
      this.inFlight.delete(flight);
    }
  }

  take(name, question, answer) {
    const { count, stage } = question;
    const { reading, failed } = answer;
    const layer = this.layers.get(name);
    if (count === layer.count && stage === layer.stage) {
      if (failed) layer.stage = "done";
      else if (reading) layer.reads += 1;
      else layer.stage = stage === "coarse" ? "full" : "done";
      this.onFailed(name, failed ?? "");
      this.onReading(name, reading ? answer : null);
    }
    if (failed || !answer.picture || count < layer.shown) return; // nothing to see, or stale
    if (count === layer.shown && layer.shownStage === "full") return;
    layer.shown = count;
    layer.shownStage = reading ? "" : stage;
    this.onPicture(name, question, answer);
  }

  settled() {
    return [...this.layers.values()].every(({ stage }) => stage === "done");
  }

  // Nobody answered: ask again when something changes, or when an answer comes after all.
  giveUp() {
    this.inFlight.clear();
    for (const layer of this.layers.values()) layer.sent = "";
    this.ahead.asked = false;
  }

  setVisible(value) {
    this.visible = value;
    this.next();
  }

  stop() {
    this.visible = false;
    clearTimeout(this.timer);
  }
}
