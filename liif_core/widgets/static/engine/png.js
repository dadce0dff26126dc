// A picture as PNG, quickly: its pixels are stored, not compressed, as it is on its way to the same
// page. RGBA in, opaque RGB out.
const STORED = 65535; // bytes of a stored block, at most
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

function adler(bytes) {
  let [one, two] = [1, 0];
  for (let start = 0; start < bytes.length; start += 3800) { // so far the sums stay whole numbers
    const end = Math.min(start + 3800, bytes.length);
    for (let at = start; at < end; at += 1) {
      one += bytes[at];
      two += one;
    }
    one %= 65521;
    two %= 65521;
  }
  return ((two << 16) | one) >>> 0;
}

function chunk(name, data) {
  const made = new Uint8Array(data.length + 12);
  const view = new DataView(made.buffer);
  view.setUint32(0, data.length);
  made.set(new TextEncoder().encode(name), 4);
  made.set(data, 8);
  view.setUint32(data.length + 8, crc(made.subarray(4, data.length + 8)));
  return made;
}

function stored(bytes) {
  const blocks = Math.max(1, Math.ceil(bytes.length / STORED));
  const made = new Uint8Array(2 + bytes.length + 5 * blocks + 4);
  const view = new DataView(made.buffer);
  made.set([0x78, 0x01]);
  let to = 2;
  for (let block = 0; block < blocks; block += 1) {
    const part = bytes.subarray(block * STORED, (block + 1) * STORED);
    made[to] = block === blocks - 1 ? 1 : 0;
    view.setUint16(to + 1, part.length, true);
    view.setUint16(to + 3, part.length ^ 0xffff, true);
    made.set(part, to + 5);
    to += 5 + part.length;
  }
  view.setUint32(to, adler(bytes));
  return made;
}

export function png({ height, width, rgba }) {
  const lines = new Uint8Array(height * (1 + 3 * width));
  let [from, to] = [0, 0];
  for (let y = 0; y < height; y += 1) {
    to += 1; // this line is not filtered
    for (let x = 0; x < width; x += 1, from += 4, to += 3) {
      lines[to] = rgba[from];
      lines[to + 1] = rgba[from + 1];
      lines[to + 2] = rgba[from + 2];
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const chunks = [chunk("IHDR", header), chunk("IDAT", stored(lines)), chunk("IEND", new Uint8Array())];
  return joined([signature, ...chunks]);
}

export function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of parts) {
    whole.set(part, to);
    to += part.length;
  }
  return whole;
}
