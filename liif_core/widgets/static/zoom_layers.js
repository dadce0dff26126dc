// The frames in sight: one for each side of the split, decoded as they arrive.
import { decoded } from "./zoom_questions.js";

export class Layers {
  constructor() {
    this.left = null; // { bitmap, rect, box, count, full, smooth }
    this.right = null;
    this.decoding = 0; // frames that have arrived and are not drawn yet
    this.photos = 0; // how many photos there have been
  }

  // Decode a frame; return it where it is to be shown. It is dropped if it was asked for earlier
  // than what is in sight, or of the photo before.
  async take(name, question, answer) {
    const { photos } = this;
    const type = question.lossless && !answer.reading ? "image/png" : "image/jpeg";
    this.decoding += 1;
    let bitmap;
    try {
      bitmap = await decoded(answer.pictures[0], type);
    } finally {
      this.decoding -= 1;
    }
    const { count, stage, side } = question;
    const full = stage === "full";
    const layer = { bitmap, rect: answer.rect, box: answer.box, count, full };
    layer.smooth = side.method !== "nearest";
    const before = this[name];
    if (photos !== this.photos || (before && age(before) > age(layer))) {
      bitmap.close();
      return null;
    }
    before?.bitmap.close();
    this[name] = layer;
    return layer;
  }

  clear() {
    this.photos += 1;
    for (const name of ["left", "right"]) {
      this[name]?.bitmap.close();
      this[name] = null;
    }
  }
}

function age({ count, full }) {
  return 2 * count + full;
}
