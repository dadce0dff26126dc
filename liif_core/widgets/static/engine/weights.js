// Reads the weights that liif_core/explorer/browser_weights.py writes: a safetensors file, whose
// metadata holds the model's configuration, of float32 or float16.

// bytes: an ArrayBuffer. Returns { config, tensors: name -> { shape, values: Float32Array } }; the
// configuration has the model's own seed, where it reads noise.
export function readWeights(bytes) {
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)));
  const { __metadata__: metadata, ...entries } = header;
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [start, end] }] of Object.entries(entries)) {
    const part = bytes.slice(8 + length + start, 8 + length + end); // aligned, other than the file
    tensors[name] = { shape, values: dtype === "F16" ? widened(part) : new Float32Array(part) };
  }
  return { config: JSON.parse(metadata.config), tensors };
}

// float16 -> float32.
function widened(bytes) {
  const halves = new Uint16Array(bytes);
  const values = new Float32Array(halves.length);
  for (let at = 0; at < halves.length; at += 1) {
    const half = halves[at];
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    values[at] = half >> 15 ? -size : size;
  }
  return values;
}
