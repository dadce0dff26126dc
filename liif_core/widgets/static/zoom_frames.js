// Asks the kernel for frames: coarse first, then full; at most two questions in flight.
//
// Each layer (left, right of the split) counts the changes of what it is to show. A frame carries
// the count it was asked at; one that is older than the frame on screen is dropped. A layer whose
// tiles the encoder has not read is asked again until it has (see liif_core/explorer/messages.py).
const IN_FLIGHT = 2;
const SETTLED = 150; // milliseconds without a change, before the full frame is asked for
const IDLE = 400; // and before the encoder reads ahead

export function frameQueue({ send, receive, onReading }) {
  const layers = new Map();
  const inFlight = new Set();
  let tag = 0;
  let changed = 0;
  let visible = false;
  let timer;
  let ahead = { more: true, asked: false };

  // what: { view, side }
  function want(name, what) {
    const layer = layers.get(name) ?? { count: 0, shown: 0, shownStage: "" };
    layers.set(name, { ...layer, what, count: layer.count + 1, stage: "coarse", reads: 0, sent: "" });
    changed = performance.now();
    ahead = { more: true, asked: false };
    next();
  }

  function forget(name) {
    layers.delete(name);
  }

  function next() {
    clearTimeout(timer);
    if (!visible) return;
    const quiet = performance.now() - changed;
    for (const [name, layer] of layers) {
      const { what, count, stage, reads, sent } = layer;
      const key = `${count} ${stage} ${reads}`;
      if (stage === "done" || sent === key || inFlight.size >= IN_FLIGHT) continue;
      if (stage === "full" && quiet < SETTLED) {
        timer = setTimeout(next, SETTLED - quiet + 1);
        continue;
      }
      layer.sent = key;
      const full = stage === "full";
      ask({ type: "frame", layer: name, count, stage, reads, coarse: !full, lossless: full, ...what });
    }
    const done = [...layers.values()].every(({ stage }) => stage === "done");
    if (!done || inFlight.size > 0 || layers.size === 0) return;
    if (quiet < IDLE) {
      timer = setTimeout(next, IDLE - quiet + 1);
    } else if (ahead.more && !ahead.asked) {
      ahead.asked = true;
      for (const { what } of layers.values()) ask({ type: "ahead", ...what });
      ahead.more = false;
    }
  }

  function ask(question) {
    tag += 1;
    inFlight.add(tag);
    send({ ...question, tag });
  }

  // An answer of ours, even one that was given up.
  function answered(answer, buffers) {
    inFlight.delete(answer.tag);
    if (answer.type === "ahead") {
      ahead.more ||= answer.more;
      ahead.asked = inFlight.size > 0;
    } else {
      const layer = layers.get(answer.layer);
      if (layer) take(layer, answer, buffers);
    }
    next();
  }

  function take(layer, answer, buffers) {
    const { count, stage, reading, failed } = answer;
    if (count === layer.count && stage === layer.stage) {
      if (failed) layer.stage = "done";
      else if (reading) layer.reads += 1;
      else layer.stage = stage === "coarse" ? "full" : "done";
      onReading(answer.layer, reading ? answer : null);
    }
    if (!answer.picture || count < layer.shown) return; // nothing to see, or stale
    if (count === layer.shown && layer.shownStage === "full") return;
    layer.shown = count;
    layer.shownStage = reading ? "" : stage;
    receive(answer, buffers[0]);
  }

  return {
    want,
    forget,
    answered,
    waiting: () => inFlight.size > 0,
    settled: () => [...layers.values()].every(({ stage }) => stage === "done"),
    // Nobody answered: ask again when something changes, or when an answer comes after all.
    giveUp() {
      inFlight.clear();
      for (const layer of layers.values()) layer.sent = "";
      ahead.asked = false;
    },
    setVisible(value) {
      visible = value;
      next();
    },
    stop() {
      visible = false;
      clearTimeout(timer);
    },
  };
}
