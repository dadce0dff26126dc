// The newest of something by its key, while there is room for it.
export class Kept {
  // most: how much is kept; one is kept however large it is.
  constructor(most) {
    this.most = most;
    this.held = 0;
    this.parts = new Map(); // key -> { value, size }, the oldest first
  }

  has(key) {
    return this.parts.has(key);
  }

  // What has the key, now the newest; or undefined.
  find(key) {
    const part = this.parts.get(key);
    if (!part) return undefined;
    this.parts.delete(key);
    this.parts.set(key, part);
    return part.value;
  }

  // Keep it; returns what there was no more room for.
  keep(key, value, size) {
    this.parts.set(key, { value, size });
    this.held += size;
    const dropped = [];
    while (this.held > this.most && this.parts.size > 1) {
      const [oldest, part] = this.parts.entries().next().value;
      this.parts.delete(oldest);
      this.held -= part.size;
      dropped.push(part.value);
    }
    return dropped;
  }

  clear() {
    const values = [...this.parts.values()].map(({ value }) => value);
    this.parts.clear();
    this.held = 0;
    return values;
  }
}
