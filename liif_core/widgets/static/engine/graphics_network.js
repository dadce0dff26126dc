// A LIIF on the graphics processor: what network.js does on the kernel, with buffers for memory.
import { COLOUR, asInput, filled } from "./encoder.js";
import { Network } from "./network.js";
import { CONVOLVE, MOST_LAYERS, answerShader } from "./graphics_shaders.js";

const SQUARE = 8; // pixels along the side of a workgroup

// The device, with the face of a Kernel as far as a Network needs one to keep its weights.
export class Graphics {
  constructor(device) {
    this.device = device;
    this.taken = null; // buffers that are given back after an action
  }

  // A buffer of zeros for so many numbers, until an action ends.
  room(count, usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST) {
    const buffer = this.device.createBuffer({ size: Math.max(16, 4 * count), usage });
    this.taken?.push(buffer);
    return buffer;
  }

  // The same with a Float32Array in it, or a Uint32Array.
  lent(numbers, usage = undefined) {
    const buffer = this.room(numbers.length, usage);
    this.device.queue.writeBuffer(buffer, 0, numbers);
    return buffer;
  }

  // The same, to stay when an action ends.
  put(numbers) {
    const buffer = this.lent(numbers);
    this.taken = this.taken?.filter((other) => other !== buffer);
    return buffer;
  }

  // Do something, one after the other, and give back the buffers that it took.
  async within(action) {
    this.taken = [];
    try {
      return await action();
    } finally {
      for (const buffer of this.taken) buffer.destroy();
      this.taken = null;
    }
  }

  pipeline(code) {
    const module = this.device.createShaderModule({ code });
    return this.device.createComputePipeline({ layout: "auto", compute: { module } });
  }

  // Run a shader; values: of its uniform, buffers: of its other bindings.
  run(pipeline, values, buffers, [width, height, depth = 1]) {
    const uniform = this.lent(Uint32Array.from(values), GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    const entries = [uniform, ...buffers].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const encoder = this.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(Math.ceil(width / SQUARE), Math.ceil(height / SQUARE), depth);
    pass.end();
    this.device.queue.submit([encoder.finish()]);
  }

  copy(from, to) {
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
    this.device.queue.submit([encoder.finish()]);
  }

  // Promise a copy of a buffer's bytes.
  async read(buffer) {
    const staging = this.room(buffer.size / 4, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    this.copy(buffer, staging);
    await staging.mapAsync(GPUMapMode.READ);
    return staging.getMappedRange().slice(0);
  }
}

export class GraphicsNetwork extends Network {
  constructor(graphics, weights) {
    super(graphics, weights);
    if (this.rest.count > MOST_LAYERS) throw new Error("a decoder with too many layers");
    const widest = Math.max(...this.linears.map(({ outputs, inputs }, layer) =>
      filled(layer === 0 ? outputs : Math.max(outputs, inputs))));
    this.convolving = graphics.pipeline(CONVOLVE);
    this.answering = graphics.pipeline(answerShader(widest / 4));
  }

  // ---- its weights, laid out as the shaders read them; see Network for what is asked

  packed(at, bias, out, real, inputs) {
    const room = filled(out);
    const weights = new Float32Array((9 * inputs + 1) * room);
    for (let o = 0; o < out; o += 1) {
      for (let i = 0; i < real; i += 1) {
        for (let tap = 0; tap < 9; tap += 1) weights[(tap * inputs + i) * room + o] = at(o, i, tap);
      }
    }
    weights.set(bias, 9 * inputs * room);
    return { inputs, out: room, weights: this.kernel.put(weights) };
  }

  // Numbers stay here until they are asked with; see `decode`.
  put(values, room) {
    const numbers = new Float32Array(room);
    numbers.set(values);
    return numbers;
  }

  packedRest() {
    const rest = this.linears.slice(1);
    const [parts, table] = [[], []];
    let start = 0;
    for (const [number, { outputs, inputs, weight, bias }] of rest.entries()) {
      const wide = filled(inputs);
      const out = number === rest.length - 1 ? COLOUR : filled(outputs);
      const part = new Float32Array((wide + 1) * out);
      for (let o = 0; o < outputs; o += 1) {
        for (let i = 0; i < inputs; i += 1) part[i * out + o] = weight[o * inputs + i];
      }
      part.set(bias, wide * out);
      table.push(wide / 4, out / 4, start / 4, (start + wide * out) / 4);
      parts.push(part);
      start += part.length;
    }
    const numbers = new Float32Array(start);
    for (const [number, part] of parts.entries()) numbers.set(part, 4 * table[4 * number + 2]);
    return { count: rest.length, table, numbers: this.kernel.put(numbers) };
  }

  // ---- what it computes; all within graphics.within

  // Read a window; see Network.encode. All of it is computed, wherever it is cut.
  encode(rgb, height, width) {
    const { kernel, channels } = this;
    const framed = new Float32Array((height + 2) * (width + 2) * COLOUR);
    for (let y = 0, from = 0; y < height; y += 1) {
      let to = ((y + 1) * (width + 2) + 1) * COLOUR;
      for (let x = 0; x < width; x += 1, to += COLOUR) {
        for (let k = 0; k < 3; k += 1, from += 1) framed[to + k] = asInput(rgb[from]);
      }
    }
    const count = (height + 2) * (width + 2) * channels;
    const [codes, body, inner] = [0, 1, 2].map(() => kernel.room(count));
    const within = { height, width, row: width + 2, start: width + 3 }; // inside a frame of zeros
    this.convolve(this.head, kernel.lent(framed), codes, within);
    kernel.copy(codes, body);
    for (const [first, second] of this.blocks) {
      this.convolve(first, body, inner, within, { rectify: 1 });
      this.convolve(second, inner, body, within, { residual: 1 });
    }
    this.convolve(this.tail, body, codes, within, { residual: 1 });
    return codes;
  }

  // row, start: of the target, in pixels.
  convolve(layer, source, target, { height, width, row, start }, { rectify = 0, residual = 0 } = {}) {
    const { inputs, out, weights } = layer;
    const values = [width, height, width + 2, inputs / 4, out / 4, row, start, rectify, residual];
    this.kernel.run(this.convolving, values, [source, weights, target], [width, height, out / 8]);
  }

  // Make a hidden map of codes with their frame.
  hiddenMap(decoder, codes, { height, width }, target) {
    this.convolve(decoder.first, codes, target, { height, width, row: width, start: 0 });
  }

  // Answer for down × across from a tile { hidden, colours, width }; returns a buffer (h, w) of 4 bytes.
  decode(decoder, tile, down, across, cell) {
    const { kernel, rest, hidden, config } = this;
    const beside = new Float32Array(3 * hidden);
    decoder.delta.forEach((table, axis) => beside.set(table, axis * hidden));
    decoder.cell?.forEach((table, axis) =>
      table.forEach((value, k) => (beside[2 * hidden + k] += cell[axis] * value)));
    const axis = ({ index, delta, weight }) =>
      kernel.lent(Float32Array.from({ length: 4 * index.length }, (_, at) =>
        [index, delta, weight][at % 4]?.[at >> 2] ?? 0));
    const local = config.local_colour ? 1 : 0;
    const sizes = [down.outputs, across.outputs, down.count, across.count];
    const values = [...sizes, tile.width, hidden / 4, rest.count, local, ...rest.table];
    values.length = 8 + 4 * MOST_LAYERS;
    const found = kernel.room(down.outputs * across.outputs);
    const buffers = [tile.hidden, tile.colours, axis(down), axis(across), kernel.lent(beside), rest.numbers];
    kernel.run(this.answering, values.fill(0, 8 + rest.table.length), [...buffers, found], [
      across.outputs, down.outputs,
    ]);
    return found;
  }
}
