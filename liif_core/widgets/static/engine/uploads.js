// The reader's own photo, which never leaves the page: its file's parts as they come, by the rule in
// liif_core/explorer/uploads.py, and its pixels as this browser decodes them.
import { largestPhoto } from "./budget.js";

const MOST_HELD = 400 * (1 << 20); // of one file, and of all unfinished uploads together
const FORGOTTEN = 120_000; // milliseconds after which an upload is no longer waited for
const PIXELS = 512; // enough to know whether a browser can read pictures back at all
const INTERRUPTED = "Opening the photo was interrupted; choose it again.";

export class Uploads {
  constructor(clock = () => performance.now()) {
    this.clock = clock;
    this.ofViewer = new Map(); // viewer -> { upload, parts, size, last }
  }

  get size() {
    return [...this.ofViewer.values()].reduce((sum, { size }) => sum + size, 0);
  }

  // Take the next part of a file; returns all its parts after the last one, else null.
  take({ viewer, upload, part, parts }, piece) {
    this.dropIdle();
    if (part === 0) this.ofViewer.set(viewer, { upload, parts: [], size: 0, last: 0 });
    const kept = this.ofViewer.get(viewer);
    if (kept?.upload !== upload || kept.parts.length !== part || part >= parts) {
      if (kept?.upload === upload) this.ofViewer.delete(viewer);
      throw new Error(INTERRUPTED);
    }
    if (kept.size + piece.byteLength > MOST_HELD) {
      this.ofViewer.delete(viewer);
      throw new Error("A photo's file may have 400 MB at most; shrink it.");
    }
    kept.parts.push(piece);
    kept.size += piece.byteLength;
    kept.last = this.clock();
    if (part + 1 < parts) {
      this.makeRoom();
      return null;
    }
    this.ofViewer.delete(viewer);
    return kept.parts;
  }

  dropIdle() {
    for (const [viewer, { last }] of this.ofViewer) {
      if (this.clock() - last > FORGOTTEN) this.ofViewer.delete(viewer);
    }
  }

  makeRoom() {
    while (this.size > MOST_HELD) {
      const [[oldest]] = [...this.ofViewer].sort(([, one], [, other]) => one.last - other.last);
      this.ofViewer.delete(oldest);
    }
  }
}

// A photo from the parts of its file, upright, what is transparent laid on white:
// { height, width, rgb, name }. Throws what the reader should know.
export async function photoFrom(parts, file) {
  const blob = new Blob(parts);
  const bitmap = await shown(file, async () => {
    checkSize(await sizeOf(blob), file); // before it is decoded, which takes much memory
    return createImageBitmap(blob, { colorSpaceConversion: "none" });
  });
  try {
    const { height, width } = bitmap;
    const rgb = opaque(bitmap, file);
    return { height, width, rgb, name: file.replace(/(.)\.[^.]*$/, "$1") || "photo" };
  } finally {
    bitmap.close();
  }
}

class TooLarge extends Error {}

async function shown(file, decode) {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof TooLarge) throw error;
    throw new Error(`${file} is not a photo that this browser can show; save it as JPEG or PNG.`);
  }
}

// The pixels that a picture's file announces: an image element reads no more until it is drawn.
async function sizeOf(blob) {
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  try {
    await new Promise((resolve, reject) => Object.assign(image, { onload: resolve, onerror: reject }));
    return image.naturalHeight * image.naturalWidth;
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

function checkSize(pixels, file) {
  const most = largestPhoto();
  if (pixels <= most) return;
  const [size, room] = [pixels, most].map((count) => Math.round(count / 1e6));
  throw new TooLarge(
    `${file} has ${size} megapixels, this page holds ${room}: shrink it, or use the command line: ` +
      "liif zoom.",
  );
}

function opaque(bitmap, file) {
  const { height, width } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error(`This browser has not enough memory for ${file}; shrink it.`);
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8ClampedArray(3 * height * width);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + 1];
    rgb[to + 2] = data[from + 2];
  }
  return rgb;
}

// Some browsers disturb what is read back from a canvas, against being recognised. The photo's
// colours would be wrong without a word.
export function checkPixels() {
  const canvas = new OffscreenCanvas(PIXELS, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const put = new ImageData(PIXELS, 1);
  for (let at = 0; at < put.data.length; at += 1) put.data[at] = at % 4 === 3 ? 255 : (at * 7) % 256;
  context.putImageData(put, 0, 0);
  const { data } = context.getImageData(0, 0, PIXELS, 1);
  if (data.some((value, at) => value !== put.data[at])) {
    throw new Error("This browser disturbs the colours of pictures that a page reads (a privacy setting).");
  }
}
