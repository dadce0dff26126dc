// What the graphics processor runs, in WGSL. All numbers are float32, four channels of a pixel in a
// vector, as kernel.c has them; its conv3x3 and decode compute the same.
export const MOST_LAYERS = 8; // after the first

// A 3×3 convolution: a pixel and eight channels of it for each invocation.
// source: (…, row, inputs) vectors, from its upper left tap on; weights: (9, 4·inputs, outputs), then
// the bias (outputs); found: (…, found_row, outputs), from pixel `start` on.
export const CONVOLVE = `
struct Place {
  width: u32, height: u32, row: u32, inputs: u32,
  outputs: u32, found_row: u32, start: u32, rectify: u32, residual: u32,
}
@group(0) @binding(0) var<uniform> place: Place;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> found: array<vec4f>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= place.width || at.y >= place.height) { return; }
  let out = 2 * at.z;
  let bias = 36 * place.inputs * place.outputs + out;
  var sums = array<vec4f, 2>(weights[bias], weights[bias + 1]);
  for (var tap = 0u; tap < 9; tap++) {
    let pixel = ((at.y + tap / 3) * place.row + at.x + tap % 3) * place.inputs;
    for (var k = 0u; k < place.inputs; k++) {
      let x = source[pixel + k];
      var w = 4 * (tap * place.inputs + k) * place.outputs + out;
      for (var lane = 0u; lane < 4; lane++) {
        sums[0] += x[lane] * weights[w];
        sums[1] += x[lane] * weights[w + 1];
        w += place.outputs;
      }
    }
  }
  for (var half = 0u; half < 2; half++) {
    let to = (place.start + at.y * place.found_row + at.x) * place.outputs + out + half;
    var value = sums[half];
    if (place.rectify == 1) { value = max(value, vec4f(0)); }
    if (place.residual == 1) { value += found[to]; }
    found[to] = value;
  }
}`;

// A pixel of the result for each invocation. down, across: (neighbours, outputs) of { index, δ,
// weight, – }; beside: what a step of δ down adds to the first layer, one across, and the cell; layers:
// of each of the others its inputs and outputs, in vectors, and where in numbers its weights (inputs,
// outputs) and its bias begin; shown: 8 bits of red, green, blue and opacity. widest: vectors of a layer.
export const answerShader = (widest) => `
struct Asked {
  rows: u32, cols: u32, down: u32, across: u32,
  stride: u32, width: u32, count: u32, local_colour: u32,
  layers: array<vec4u, ${MOST_LAYERS}>,
}
@group(0) @binding(0) var<uniform> asked: Asked;
@group(0) @binding(1) var<storage, read> hidden: array<vec4f>;
@group(0) @binding(2) var<storage, read> colours: array<vec4f>;
@group(0) @binding(3) var<storage, read> down: array<vec4f>;
@group(0) @binding(4) var<storage, read> across: array<vec4f>;
@group(0) @binding(5) var<storage, read> beside: array<vec4f>;
@group(0) @binding(6) var<storage, read> numbers: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> shown: array<u32>;

fn said(code: u32, place: vec2f) -> vec4f {
  var x: array<vec4f, ${widest}>;
  var y: array<vec4f, ${widest}>;
  for (var k = 0u; k < asked.width; k++) {
    let steps = place.x * beside[k] + place.y * beside[asked.width + k];
    y[k] = hidden[code * asked.width + k] + (beside[2 * asked.width + k] + steps);
  }
  for (var l = 0u; l < asked.count; l++) {
    let layer = asked.layers[l];
    for (var k = 0u; k < layer.x; k++) { x[k] = max(y[k], vec4f(0)); }
    for (var o = 0u; o < layer.y; o++) {
      var sum = numbers[layer.w + o];
      var w = layer.z + o;
      for (var k = 0u; k < layer.x; k++) {
        for (var lane = 0u; lane < 4; lane++) {
          sum += x[k][lane] * numbers[w];
          w += layer.y;
        }
      }
      y[o] = sum;
    }
  }
  return y[0];
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= asked.cols || at.y >= asked.rows) { return; }
  var colour = vec4f(0);
  for (var r = 0u; r < asked.down; r++) {
    let row = down[r * asked.rows + at.y];
    for (var c = 0u; c < asked.across; c++) {
      let col = across[c * asked.cols + at.x];
      let weight = row.z * col.z;
      if (weight <= 1e-8) { continue; }
      let code = u32(row.x) * asked.stride + u32(col.x);
      var one = said(code, vec2f(row.y, col.y));
      if (asked.local_colour == 1) { one += colours[code]; }
      colour += weight * one;
    }
  }
  let whole = vec4u(round(255 * clamp(0.5 * colour + 0.5, vec4f(0), vec4f(1))));
  shown[at.y * asked.cols + at.x] = whole.x | (whole.y << 8) | (whole.z << 16) | 0xff000000;
}`;
