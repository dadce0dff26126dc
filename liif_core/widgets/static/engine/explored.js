// A photo made ready for exploring by a pool of workers: ExploredPhoto in frames.py. The latent
// codes of its tiles are kept here, once; workers make what they need of them.
import { Kept } from "./kept.js";
import { leastAsked } from "./networks.js";
import { SIDE, MARGIN, allTiles, distance, partsOf, together } from "./tiles.js";
import { gridOf } from "./grid.js";

const PIECES = 3; // of a picture, for each worker
const AT_HAND = 2; // that a worker is asked for, so that it need not wait for the next

export class Explored {
  // photo: { height, width, number }; models: name -> configuration; memory: bytes for latent codes.
  constructor(pool, photo, models, memory) {
    Object.assign(this, { pool, models, memory, number: photo.number });
    this.size = [photo.height, photo.width];
    this.codes = new Kept(memory);
    this.graphics = null; // an Accelerator, where it is on
    this.reading = new Map(); // key of a tile -> the promise of its codes
  }

  // Whether a side's model is asked; else its method has none, or bicubic answers.
  asks(side, magnification) {
    return side.method in this.models && magnification >= leastAsked(this.models[side.method]);
  }

  // The tiles that a view needs and the encoder has not read, the nearest first; and how many it
  // needs.
  tiles(view, side) {
    if (!this.asks(side, view.magnification)) return { unread: [], total: 0 };
    const grid = gridOf(view);
    const needed = partsOf(grid, [0, grid.height], [0, grid.width], this.size).map(({ tile }) => tile);
    return { unread: this.unread(needed, view, side), total: needed.length };
  }

  unread(tiles, view, side) {
    const found = tiles.filter((tile) => !this.codes.has(keyOf(side, tile)));
    return found.sort((one, other) => distance(one, view) - distance(other, view));
  }

  // Unread tiles in lists, each for one worker to read; the first have what is nearest.
  batches(unread) {
    const place = new Map(unread.map((tile, at) => [tile, at]));
    const nearest = (tiles) => Math.min(...tiles.map((tile) => place.get(tile)));
    const lists = unread.length > 0 ? together(unread, this.pool.count) : [];
    return lists.sort((one, other) => nearest(one) - nearest(other));
  }

  // The tiles of the photo that are worth reading while nobody waits: all of them, or none if they
  // cannot be kept.
  ahead(view, side) {
    if (!(side.method in this.models)) return [];
    const tiles = allTiles(this.size);
    const { channels } = this.models[side.method];
    const most = tiles.length * (SIDE + 2 * MARGIN) ** 2 * channels * 4;
    return most > this.memory ? [] : this.unread(tiles, view, side);
  }

  // Let a worker read tiles that lie together, but for those that are being read.
  read(tiles, side) {
    const fresh = tiles.filter((tile) => !this.reading.has(keyOf(side, tile)));
    if (fresh.length > 0) {
      const { method } = side;
      const answer = this.ask(this.pool.idlest(), "read", { method, tiles: fresh });
      for (const [at, tile] of fresh.entries()) this.expect(keyOf(side, tile), answer, at);
    }
    return Promise.all(tiles.map((tile) => this.reading.get(keyOf(side, tile))));
  }

  expect(key, answer, at) {
    const codes = answer.then((all) => {
      this.codes.keep(key, all[at], all[at].byteLength);
      return all[at];
    });
    this.reading.set(key, codes.finally(() => this.reading.delete(key)));
  }

  async codesOf(tile, side) {
    const found = this.codes.find(keyOf(side, tile));
    if (found) return found;
    const [codes] = await this.read([tile], side);
    return codes;
  }

  // Workers refuse what is asked about another photo than the one they have. The graphics processor,
  // where it is on, answers in their place; what it cannot, they do.
  ask(worker, call, fields) {
    const asked = { ...fields, photo: this.number };
    if (!this.graphics?.answers(call)) return this.pool.ask(worker, call, asked);
    return this.graphics.ask(call, asked).catch(() => this.pool.ask(worker, call, asked));
  }

  // Rows and columns of a picture: { height, width, rgba }.
  async part(grid, side, rows, cols, asked) {
    const picture = blank(rows[1] - rows[0], cols[1] - cols[0]);
    if (!asked) {
      const method = side.method in this.models ? "bicubic" : side.method;
      picture.rgba = await this.ask(this.pool.idlest(), "resize", { grid, method, rows, cols });
      return picture;
    }
    const parts = partsOf(grid, rows, cols, this.size);
    const jobs = this.graphics ? parts : this.shared(parts);
    const workers = Array.from({ length: AT_HAND * this.pool.count }, (_, at) => at % this.pool.count);
    const work = async (worker) => {
      while (jobs.length > 0) {
        const own = jobs.findIndex(({ home }) => home === worker);
        const [part] = jobs.splice(Math.max(own, 0), 1);
        const rgba = await this.decode(worker, { ...part, grid, side, method: side.method });
        paste(picture, rgba, part, [rows[0], cols[0]]);
      }
    };
    await Promise.all(workers.map(work));
    return picture;
  }

  // The work, in pieces: who is done with the own ones takes another's, so that nobody waits for a
  // worker whose core is busy elsewhere. Of a large part all workers take rows; of small ones, each
  // takes tiles first whose hidden maps it has.
  shared(parts) {
    const { count } = this.pool;
    const outputs = ({ rows, cols }) => (rows[1] - rows[0]) * (cols[1] - cols[0]);
    const most = parts.reduce((sum, part) => sum + outputs(part), 0) / (PIECES * count);
    return parts.flatMap((part) => {
      const { tile, rows: [first, last], cols } = part;
      const pieces = Math.ceil(outputs(part) / most);
      const end = (at) => first + Math.floor(((last - first) * at) / pieces);
      return Array.from({ length: pieces }, (_, at) => {
        const home = (pieces > 1 ? at : tile[0] + tile[1]) % count;
        return { tile, cols, rows: [end(at), end(at + 1)], home };
      });
    }).filter(({ rows: [start, stop] }) => stop > start);
  }

  async decode(worker, fields) {
    const at = await this.ask(worker, "decode", fields);
    if (at) return at;
    const codes = await this.codesOf(fields.tile, fields);
    return this.ask(worker, "decode", { ...fields, codes });
  }

  explain(side, coord, cell) {
    return this.ask(this.pool.idlest(), "explain", { side, coord, cell });
  }
}

function keyOf({ method }, tile) {
  return `${method} ${tile}`;
}

function blank(height, width) {
  return { height, width, rgba: new Uint8Array(4 * height * width) };
}

export function paste(picture, rgba, { rows, cols }, [top, left]) {
  const width = 4 * (cols[1] - cols[0]);
  for (let row = rows[0]; row < rows[1]; row += 1) {
    const from = (row - rows[0]) * width;
    const to = 4 * ((row - top) * picture.width + cols[0] - left);
    picture.rgba.set(rgba.subarray(from, from + width), to);
  }
}
