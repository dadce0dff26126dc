// Weights as a notebook keeps them: liif_core/widgets/in_page.py packs what is unpacked here.
const BASE85 =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"; // of Python

// text: base 85 of deflated bytes, all first halves of numbers before all second ones. Promises an
// ArrayBuffer.
export async function unpackedWeights(text) {
  const deflated = new Blob([from85(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const parted = new Uint8Array(await new Response(deflated).arrayBuffer());
  const whole = new Uint8Array(parted.length);
  const half = Math.ceil(parted.length / 2);
  for (let at = 0; at < half; at += 1) whole[2 * at] = parted[at];
  for (let at = half; at < parted.length; at += 1) whole[2 * (at - half) + 1] = parted[at];
  return whole.buffer;
}

// Five letters are four bytes, the most significant first; what is left over is filled up.
function from85(text) {
  const values = new Uint8Array(128);
  for (const [value, letter] of [...BASE85].entries()) values[letter.charCodeAt(0)] = value;
  const groups = Math.ceil(text.length / 5);
  const view = new DataView(new ArrayBuffer(4 * groups));
  for (let group = 0; group < groups; group += 1) {
    let number = 0;
    for (let at = 5 * group; at < 5 * group + 5; at += 1) {
      number = 85 * number + (at < text.length ? values[text.charCodeAt(at)] : 84);
    }
    view.setUint32(4 * group, number);
  }
  return new Uint8Array(view.buffer, 0, 4 * groups - (5 * groups - text.length));
}
