// What a PNG says beside its pixels: the engine says it in a strip, the browser in none of its own files.
const PNG_SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const PNG_NOTES = new Set(["eXIf", "iTXt", "tEXt", "zTXt"]);
const PNG_HEAD = 33; // signature and the first chunk, IHDR

// Promise a PNG, a Blob, with the notes of another, a file's bytes; pixels (an ImageData) have none.
export async function withNotes(blob, said) {
  const notes = said instanceof ImageData ? [] : notedChunks(said);
  if (notes.length === 0) return blob;
  return new Blob([blob.slice(0, PNG_HEAD), ...notes, blob.slice(PNG_HEAD)], { type: "image/png" });
}

// The chunks with notes of a PNG's bytes, each with its length and checksum.
function notedChunks(file) {
  const bytes = file instanceof ArrayBuffer ? new Uint8Array(file) : bytesUnder(file);
  if (PNG_SIGNATURE.some((byte, at) => bytes[at] !== byte)) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = [];
  for (let at = PNG_SIGNATURE.length; at + 12 <= bytes.length; ) {
    const end = at + 12 + view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (PNG_NOTES.has(kind) && end <= bytes.length) found.push(bytes.slice(at, end));
    at = end;
  }
  return found;
}

function bytesUnder({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
