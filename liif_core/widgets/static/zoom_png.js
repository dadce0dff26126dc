// What a PNG says beside its pixels: the engine says it in a strip, the browser in none of its own files.
const PNG_SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const PNG_NOTES = new Set(["eXIf", "iTXt", "tEXt", "zTXt"]);
const PNG_HEAD = 33; // signature and the first chunk, IHDR

const MADE_BY = "liif_core, in a browser";
const SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/";

// Promise a PNG, a Blob, with the notes of another, a file's bytes; where that is pixels (an ImageData), which
// have none, with what is told: { how, generated }, as carried.py has it.
export async function withNotes(blob, said, told) {
  const notes = said instanceof ImageData ? [toldChunk(told)] : notedChunks(said);
  if (notes.length === 0) return blob;
  return new Blob([blob.slice(0, PNG_HEAD), ...notes, blob.slice(PNG_HEAD)], { type: "image/png" });
}

function toldChunk({ how, generated }) {
  const source = SOURCES + (generated ? "compositeWithTrainedAlgorithmicMedia" : "algorithmicallyEnhanced");
  const words = how.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const said = [
    "<Iptc4xmpExt:DigitalSourceType xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">",
    `${source}</Iptc4xmpExt:DigitalSourceType><xmp:CreatorTool xmlns:xmp="http://ns.adobe.com/xap/1.0/">`,
    `${MADE_BY}; ${words}</xmp:CreatorTool>`,
  ].join("");
  const packet =
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    `<rdf:Description rdf:about="">${said}</rdf:Description></rdf:RDF></x:xmpmeta>`;
  return pngChunk("iTXt", `XML:com.adobe.xmp\0\0\0\0\0${packet}`);
}

function pngChunk(kind, text) {
  const content = new TextEncoder().encode(kind + text);
  const bytes = new Uint8Array(content.length + 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length - 4);
  bytes.set(content, 4);
  view.setUint32(content.length + 4, checksum(content));
  return bytes;
}

// CRC-32, as PNG has it.
function checksum(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ -1) >>> 0;
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
