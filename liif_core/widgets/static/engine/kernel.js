// The kernel and its memory: one of each for a worker. Memory is handed out from bottom to top;
// what was handed out after a `mark` is taken back by `release`.
const PAGE = 1 << 16;
const ALIGNED = 16;

export class Kernel {
  // module: one of the two builds, compiled; see kernels.js.
  constructor(module) {
    this.memory = new WebAssembly.Memory({ initial: 16 });
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory } });
    this.call = exports;
    this.top = exports.__heap_base.value;
  }

  // Room for so many numbers of four bytes; returns where it begins.
  room(count) {
    const start = Math.ceil(this.top / ALIGNED) * ALIGNED;
    this.top = start + 4 * count;
    const missing = this.top - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE));
    return start;
  }

  // Views end when the memory grows: take them anew after each `room`.
  floats(start, count) {
    return new Float32Array(this.memory.buffer, start, count);
  }

  // Put a Float32Array, or an Int32Array, into the memory; returns where it begins.
  put(numbers) {
    const start = this.room(numbers.length);
    new numbers.constructor(this.memory.buffer, start, numbers.length).set(numbers);
    return start;
  }

  // The same of a Float64Array.
  putDoubles(numbers) {
    const start = this.room(2 * numbers.length);
    new Float64Array(this.memory.buffer, start, numbers.length).set(numbers);
    return start;
  }

  // Do something, and take back the memory that it took.
  within(action) {
    const { top } = this;
    try {
      return action();
    } finally {
      this.top = top;
    }
  }
}
