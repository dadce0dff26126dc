// The arithmetic of LIIF for a browser: what folded.py and bands.py do, in WebAssembly with SIMD.
//
// Whoever calls manages the memory: every pointer is given, nothing is allocated. All numbers are
// float32, the channels of a pixel side by side, and as many as fill whole vectors (multiples of
// eight for what a layer says; the rest is zeros). `make kernel` builds this file twice: kernel.wasm
// and, with relaxed SIMD, kernel_relaxed.wasm; tests/test_engine_kernel.py holds them together, and
// kernels.js chooses. kernel_heat.c and kernel_noise.c are parts of it.
#include "kernel.h"

#define MANY 8       // columns that one code answers for: then lines are worth it
#define STRIP 16     // squares of a convolution at a time: a multiple of PIXELS

// A layer of the decoder. weights: (out / 8, in, 8), or (in, 4) for the last; bias: (out).
typedef struct {
  const float *weights, *bias;
  int in, out;
} Layer;

// What a decoder needs beside the codes. delta_y, delta_x, cell: (width). noise: (channels, width),
// what the first layer makes of a channel of noise; 0 channels for none.
typedef struct {
  const Layer *layers;
  const float *delta_y, *delta_x, *cell;
  int count, width, local_colour;
  const float *noise;
  int channels;
} Decoder;

static inline v128_t add_product(v128_t sum, v128_t a, v128_t b) {
#ifdef __wasm_relaxed_simd__
  return wasm_f32x4_relaxed_madd(a, b, sum); // in one step where the processor has one
#else
  return wasm_f32x4_add(sum, wasm_f32x4_mul(a, b));
#endif
}

// One register tile of a matrix product: x (4, in), weights (in, 8) -> y (4, 8).
static void multiply(const float *x, int in, const float *weights, float *y) {
  v128_t sums[PIXELS][2];
  for (int p = 0; p < PIXELS; p++)
    for (int half = 0; half < 2; half++) sums[p][half] = wasm_f32x4_const_splat(0);
  for (int k = 0; k < in; k++, weights += 8) {
    const v128_t w0 = wasm_v128_load(weights), w1 = wasm_v128_load(weights + LANES);
    for (int p = 0; p < PIXELS; p++) {
      const v128_t value = wasm_v128_load32_splat(x + p * in + k);
      sums[p][0] = add_product(sums[p][0], value, w0);
      sums[p][1] = add_product(sums[p][1], value, w1);
    }
  }
  for (int p = 0; p < PIXELS; p++)
    for (int half = 0; half < 2; half++)
      wasm_v128_store(y + p * 8 + half * LANES, sums[p][half]);
}

// Winograd's F(2×2, 3×3): four outputs of a convolution from 4 × 4 inputs with 16 products a channel
// instead of 36 (Lavin and Gray, "Fast algorithms for convolutional neural networks", section 4.1).

// Where a square of 2 × 2 outputs lies.
typedef struct {
  int y, x;
} Square;

// Bᵀ·d of four vectors, `step` vectors apart.
static inline void change_inputs(v128_t *d, int step) {
  const v128_t first = wasm_f32x4_sub(d[0], d[2 * step]), last = wasm_f32x4_sub(d[step], d[3 * step]);
  const v128_t sum = wasm_f32x4_add(d[step], d[2 * step]);
  d[2 * step] = wasm_f32x4_sub(d[2 * step], d[step]);
  d[0] = first;
  d[step] = sum;
  d[3 * step] = last;
}

// Aᵀ·m of four vectors, `step` vectors apart: two.
static inline void change_products(v128_t *m, int step) {
  const v128_t first = wasm_f32x4_add(wasm_f32x4_add(m[0], m[step]), m[2 * step]);
  m[step] = wasm_f32x4_sub(wasm_f32x4_sub(m[step], m[2 * step]), m[3 * step]);
  m[0] = first;
}

// Change the inputs of a square; `changed`: its first number, those of the next of the 16 products
// STRIP · in further. What lies beyond the frame counts for no output that there is.
static void enter(const float *source, int row, int height, int width, int in, Square at,
                  float *changed) {
  for (int k = 0; k < in; k += LANES) {
    v128_t d[16];
    for (int i = 0; i < 4; i++) {
      const int y = at.y + i < height + 2 ? at.y + i : height + 1;
      for (int j = 0; j < 4; j++) {
        const int x = at.x + j < width + 2 ? at.x + j : width + 1;
        d[4 * i + j] = wasm_v128_load(source + y * row + x * in + k);
      }
    }
    for (int j = 0; j < 4; j++) change_inputs(d + j, 4);
    for (int i = 0; i < 4; i++) change_inputs(d + 4 * i, 1);
    for (int t = 0; t < 16; t++) wasm_v128_store(changed + t * STRIP * in + k, d[t]);
  }
}

// Outputs of a square, eight channels of them; products: its first, the next STRIP · 8 further.
static void leave(const float *products, const float *bias, int height, int width, Square at,
                  float *target, int stride, int out, int rectify, int residual) {
  for (int half = 0; half < 2; half++) {
    v128_t m[16];
    for (int t = 0; t < 16; t++)
      m[t] = wasm_v128_load(products + t * STRIP * 8 + half * LANES);
    for (int j = 0; j < 4; j++) change_products(m + j, 4);
    for (int i = 0; i < 2; i++) {
      change_products(m + 4 * i, 1);
      for (int j = 0; j < 2; j++) {
        if (at.y + i >= height || at.x + j >= width) continue;
        float *to = target + (at.y + i) * stride + (at.x + j) * out + half * LANES;
        v128_t value = wasm_f32x4_add(m[4 * i + j], wasm_v128_load(bias + half * LANES));
        if (rectify) value = relu(value);
        if (residual) value = wasm_f32x4_add(value, wasm_v128_load(to));
        wasm_v128_store(to, value);
      }
    }
  }
}

// A 3×3 convolution for height × width pixels.
// source: (height + 2, width + 2, in), rows `row` floats apart; weights: (out / 8, 16, in, 8), each
// 3 × 3 of them as G·g·Gᵀ; target: its upper left pixel, rows `stride` floats apart. rectify: ReLU;
// residual: add to target. scratch: room for 16 · STRIP · (in + 8) numbers.
EXPORT void conv3x3(const float *source, int row, int height, int width, int in,
                    const float *weights, const float *bias, float *target, int stride, int out,
                    int rectify, int residual, float *scratch) {
  float *changed = scratch, *products = scratch + 16 * STRIP * in;
  const int across = (width + 1) / 2, squares = (height + 1) / 2 * across;
  for (int first = 0; first < squares; first += STRIP) {
    const int count = squares - first < STRIP ? squares - first : STRIP;
    Square at[STRIP];
    for (int s = 0; s < count; s++) {
      at[s] = (Square){(first + s) / across * 2, (first + s) % across * 2};
      enter(source, row, height, width, in, at[s], changed + s * in);
    }
    for (int o = 0; o < out; o += 8) {
      for (int t = 0; t < 16; t++)
        for (int s = 0; s < count; s += PIXELS)
          multiply(changed + (t * STRIP + s) * in, in, weights + (o * 2 + t) * in * 8,
                   products + (t * STRIP + s) * 8);
      for (int s = 0; s < count; s++)
        leave(products + s * 8, bias + o, height, width, at[s], target + o, stride, out, rectify,
              residual);
    }
  }
}

// What the units of a layer say at four pixels, after their ReLU, and which of them say anything at
// any of these: pixels that lie side by side look alike to a layer, so that is half of them.
// values: (width / 4, 4, 4), of each four units a pixel's side by side; unit, at: (count), which, and
// where in values it begins. Room for four more of each.
typedef struct {
  float *values;
  int *unit, *at;
  int count;
} Active;

static const int set[16][LANES] = { // the bits that are set in 0 … 15
    {0}, {0}, {1}, {0, 1}, {2}, {0, 2}, {1, 2}, {0, 1, 2},
    {3}, {0, 3}, {1, 3}, {0, 1, 3}, {2, 3}, {0, 2, 3}, {1, 2, 3}, {0, 1, 2, 3}};

static inline v128_t above_zero(v128_t x) { return wasm_f32x4_gt(x, wasm_f32x4_const_splat(0)); }

// Note which of units `first` … `first` + 3 there are.
static inline void note(Active *active, int first, int bits) {
  const v128_t lanes = wasm_v128_load(set[bits]);
  wasm_v128_store(active->unit + active->count, wasm_i32x4_add(lanes, wasm_i32x4_splat(first)));
  wasm_v128_store(active->at + active->count,
                  wasm_i32x4_add(lanes, wasm_i32x4_splat(first * PIXELS)));
  active->count += __builtin_popcount(bits);
}

// Append units `first` … `first` + 3; pixels: these of each.
static inline __attribute__((always_inline)) void append(Active *active, const v128_t *pixels,
                                                         int first) {
  v128_t any = wasm_f32x4_const_splat(0);
  for (int p = 0; p < PIXELS; p++) {
    const v128_t said = relu(pixels[p]);
    wasm_v128_store(active->values + first * PIXELS + p * LANES, said);
    any = wasm_f32x4_pmax(any, said);
  }
  note(active, first, wasm_i32x4_bitmask(above_zero(any)));
}

// Add what active units say to eight units of the next layer; weights: (in, 8) of these.
static inline __attribute__((always_inline)) void add_units(const float *weights, Active x,
                                                            v128_t sums[2][PIXELS]) {
  for (int k = 0; k < x.count; k++) {
    const float *w = weights + x.unit[k] * 8, *values = x.values + x.at[k];
    const v128_t w0 = wasm_v128_load(w), w1 = wasm_v128_load(w + LANES);
    for (int p = 0; p < PIXELS; p++) {
      const v128_t value = wasm_v128_load32_splat(values + p * LANES);
      sums[0][p] = add_product(sums[0][p], value, w0);
      sums[1][p] = add_product(sums[1][p], value, w1);
    }
  }
}

// A hidden layer and its ReLU.
static int dense(const Layer *given, Active x, Active y) {
  const Layer layer = *given;
  y.count = 0;
  for (int o = 0; o < layer.out; o += 8) {
    v128_t sums[2][PIXELS];
    for (int half = 0; half < 2; half++)
      for (int p = 0; p < PIXELS; p++)
        sums[half][p] = wasm_v128_load(layer.bias + o + half * LANES);
    add_units(layer.weights + o * layer.in, x, sums);
    append(&y, sums[0], o);
    append(&y, sums[1], o + LANES);
  }
  return y.count;
}

// Within a row and beside one code, a unit of the first layer is a straight line over x, before its
// ReLU. So those above zero at all four pixels say together, to each unit of the second layer,
// another straight line; and from one four pixels to the next only few units come or go. Without
// this, a frame at ×12 takes a fifth longer.
typedef struct {
  const float *hidden;   // of the code that the lines are about
  float *height, *slope; // (out): the lines of the second layer, at x = 0 and for each 1
  float *units;          // (width, 2): height and slope of each that comes, or goes: negative
  int *counted;          // (width / 4): the units in the lines, four bits of each vector
  int *unit;             // (count), which come or go
  int count;
} Lines;

// Lines of no unit yet.
static void begin(Lines *lines, const float *hidden, const Layer *second) {
  lines->hidden = hidden;
  for (int k = 0; k < second->in / LANES; k++) lines->counted[k] = 0;
  for (int o = 0; o < second->out; o += LANES) {
    wasm_v128_store(lines->height + o, wasm_v128_load(second->bias + o));
    wasm_v128_store(lines->slope + o, wasm_f32x4_const_splat(0));
  }
}

// The first layer at four pixels in a row, of one code: what comes and goes, and the units that are
// above zero at some of them only. across: each one's x, rising.
static void first_lines(const Decoder *decoder, const float *beside, const v128_t *across,
                        Lines *known, Active *given) {
  Lines lines = *known;
  Active some = *given;
  const int width = decoder->width;
  const float *delta = decoder->delta_x;
  const v128_t sign = wasm_f32x4_const_splat(-0.0f);
  lines.count = some.count = 0;
  for (int k = 0; k < width; k += LANES) {
    const v128_t slope = wasm_v128_load(delta + k);
    const v128_t height = wasm_f32x4_add(wasm_v128_load(lines.hidden + k), wasm_v128_load(beside + k));
    v128_t said[PIXELS];
    for (int p = 0; p < PIXELS; p++) {
      said[p] = add_product(height, across[p], slope);
      wasm_v128_store(some.values + k * PIXELS + p * LANES, relu(said[p]));
    }
    const v128_t left = above_zero(said[0]), right = above_zero(said[PIXELS - 1]);
    const v128_t both = wasm_v128_and(left, right), turned = wasm_v128_andnot(sign, both);
    wasm_v128_store(lines.units + 2 * k, wasm_v128_xor(height, turned));
    wasm_v128_store(lines.units + 2 * k + LANES, wasm_v128_xor(slope, turned));
    const int all = wasm_i32x4_bitmask(both), changed = all ^ lines.counted[k / LANES];
    lines.counted[k / LANES] = all;
    wasm_v128_store(lines.unit + lines.count,
                    wasm_i32x4_add(wasm_v128_load(set[changed]), wasm_i32x4_splat(k)));
    lines.count += __builtin_popcount(changed);
    note(&some, k, wasm_i32x4_bitmask(wasm_v128_xor(left, right)));
  }
  known->count = lines.count;
  given->count = some.count;
}

// The second layer after first_lines, and its ReLU.
static int second_lines(const Layer *given, const v128_t *across, Lines lines, Active some,
                        Active y) {
  const Layer layer = *given;
  y.count = 0;
  for (int o = 0; o < layer.out; o += 8) {
    const float *weights = layer.weights + o * layer.in;
    v128_t height[2], slope[2], sums[2][PIXELS];
    for (int half = 0; half < 2; half++) {
      height[half] = wasm_v128_load(lines.height + o + half * LANES);
      slope[half] = wasm_v128_load(lines.slope + o + half * LANES);
    }
    for (int k = 0; k < lines.count; k++) {
      const int unit = lines.unit[k];
      const float *line = lines.units + unit + (unit & -LANES);
      for (int half = 0; half < 2; half++) {
        const v128_t w = wasm_v128_load(weights + unit * 8 + half * LANES);
        height[half] = add_product(height[half], wasm_v128_load32_splat(line), w);
        slope[half] = add_product(slope[half], wasm_v128_load32_splat(line + LANES), w);
      }
    }
    for (int half = 0; half < 2; half++) {
      wasm_v128_store(lines.height + o + half * LANES, height[half]);
      wasm_v128_store(lines.slope + o + half * LANES, slope[half]);
      for (int p = 0; p < PIXELS; p++)
        sums[half][p] = add_product(height[half], across[p], slope[half]);
    }
    add_units(weights, some, sums);
    append(&y, sums[0], o);
    append(&y, sums[1], o + LANES);
  }
  return y.count;
}

// The last layer: a colour for each pixel, of which the last number is nothing.
static void colour_layer(const Layer *layer, Active x, v128_t *colours) {
  v128_t sums[PIXELS];
  for (int p = 0; p < PIXELS; p++) sums[p] = wasm_v128_load(layer->bias);
  for (int k = 0; k < x.count; k++) {
    const float *values = x.values + x.at[k];
    const v128_t w = wasm_v128_load(layer->weights + x.unit[k] * LANES);
    for (int p = 0; p < PIXELS; p++)
      sums[p] = add_product(sums[p], wasm_v128_load32_splat(values + p * LANES), w);
  }
  for (int p = 0; p < PIXELS; p++) colours[p] = sums[p];
}

// The first layer: what the codes say, and beside it.
static void first_layer(const Decoder *decoder, const float *const *hidden, const float *beside,
                        const float *const *noise, const v128_t *across, Active *x) {
  Active active = *x;
  active.count = 0;
  for (int k = 0; k < decoder->width; k += LANES) {
    const v128_t all = wasm_v128_load(beside + k), delta = wasm_v128_load(decoder->delta_x + k);
    v128_t sums[PIXELS];
    for (int p = 0; p < PIXELS; p++)
      sums[p] = wasm_f32x4_add(wasm_v128_load(hidden[p] + k), add_product(all, across[p], delta));
    ONCE
    for (int n = 0; n < decoder->channels; n++) {
      const v128_t w = wasm_v128_load(decoder->noise + n * decoder->width + k);
      for (int p = 0; p < PIXELS; p++) // in two steps: what is checked needs none of these
        sums[p] = wasm_f32x4_add(sums[p], wasm_f32x4_mul(wasm_v128_load32_splat(noise[p] + n), w));
    }
    append(&active, sums, k);
  }
  x->count = active.count;
}

// What answering takes beside the decoder. beside: (width), what the first layer adds in this row;
// which: the columns for which this neighbour counts; noise: (columns, channels) of this row.
typedef struct {
  float *beside;
  Active one, other;
  Lines lines;
  int *which;
  const float *noise;
} Room;

// Add one neighbour's weighted answers to up to four output pixels of a row. which: their columns;
// straight: whether they all have the same code, and lines are worth it.
static void ask(const Decoder *decoder, const Tile *tile, const Axis *cols, int base, int row,
                float share, const int *which, int pixels, int straight, Room *room, float *out) {
  const float *hidden[PIXELS], *colours[PIXELS], *noise[PIXELS];
  v128_t across[PIXELS], answers[PIXELS];
  for (int p = 0; p < PIXELS; p++) { // what there is none of is asked like the last
    const int column = which[p < pixels ? p : pixels - 1], at = base + column;
    noise[p] = room->noise + column * decoder->channels;
    const int code = row * tile->stride + cols->index[at];
    hidden[p] = tile->hidden + code * decoder->width;
    colours[p] = tile->colours + code * LANES;
    across[p] = wasm_f32x4_splat(cols->delta[at]);
  }
  Active *one = &room->one, *other = &room->other;
  if (straight) {
    if (room->lines.hidden != hidden[0]) begin(&room->lines, hidden[0], decoder->layers);
    first_lines(decoder, room->beside, across, &room->lines, one);
    other->count = second_lines(decoder->layers, across, room->lines, *one, *other);
  } else {
    first_layer(decoder, hidden, room->beside, noise, across, one);
  }
  for (int l = 0; l + 1 < decoder->count; l++) {
    if (l > 0 || !straight) other->count = dense(decoder->layers + l, *one, *other);
    Active *swap = one;
    one = other;
    other = swap;
  }
  colour_layer(decoder->layers + decoder->count - 1, *one, answers);
  for (int p = 0; p < pixels; p++) {
    if (decoder->local_colour) answers[p] = wasm_f32x4_add(answers[p], wasm_v128_load(colours[p]));
    const v128_t weight = wasm_f32x4_splat(share * cols->weight[base + which[p]]);
    float *to = out + which[p] * LANES;
    wasm_v128_store(to, add_product(wasm_v128_load(to), answers[p], weight));
  }
}

// The same for the `asked` columns of a row, four at a time; of a code that answers for many, four
// of its own.
static void ask_row(const Decoder *decoder, const Tile *tile, const Axis *cols, int base, int asked,
                    int row, float share, Room *room, float *out) {
  const int *index = cols->index + base;
  room->lines.hidden = 0;
  for (int p = 0, end = 0, straight = 0, pixels; p < asked; p += pixels) {
    const int *which = room->which + p;
    if (p >= end) {
      for (end = p + 1; end < asked && index[room->which[end]] == index[*which];) end++;
      straight = decoder->count > 1 && !decoder->channels && end - p >= MANY;
    }
    pixels = (straight ? end : asked) - p;
    if (pixels > PIXELS) pixels = PIXELS;
    ask(decoder, tile, cols, base, row, share, which, pixels, straight, room, out);
  }
}

// The columns for which a neighbour counts; returns how many.
static int counting(const float *weights, int outputs, int *which) {
  int found = 0;
  for (int x = 0; x < outputs; x++)
    if (weights[x] > NEGLIGIBLE) which[found++] = x;
  return found;
}

// Ask for the colour at every crossing of rows and columns: FoldedDecoder.grid.
// noise: (rows, columns, channels), read if the decoder has channels of it;
// scratch: room for 19 (widest + 4) + cols->outputs numbers; out: (rows, columns, 4), RGB about
// [0, 1], not clamped.
EXPORT void decode(const Decoder *decoder, const Tile *tile, const Axis *rows, const Axis *cols,
                   const float *noise, int widest, float *scratch, float *out) {
  const int part = widest + LANES, width = cols->outputs;
  int *numbers = (int *)(scratch + 13 * part);
  float *values = scratch + part, *lines = values + 2 * PIXELS * part;
  Room room = {scratch,
               {values, numbers, numbers + part, 0},
               {values + PIXELS * part, numbers + 2 * part, numbers + 3 * part, 0},
               {0, lines, lines + part, lines + 2 * part, numbers + 4 * part, numbers + 5 * part, 0},
               numbers + 6 * part,
               noise};
  const v128_t half = wasm_f32x4_const_splat(0.5f);
  for (int at = 0; at < rows->outputs * width; at++)
    wasm_v128_store(out + at * LANES, wasm_f32x4_const_splat(0));
  for (int c = 0; c < cols->count; c++) {
    const int base = c * width, asked = counting(cols->weight + base, width, room.which);
    for (int r = 0; r < rows->count; r++)
      for (int y = 0; y < rows->outputs; y++) {
        const int at = r * rows->outputs + y;
        if (!(rows->weight[at] > NEGLIGIBLE)) continue;
        room.noise = noise + (long)y * width * decoder->channels;
        const v128_t down = wasm_f32x4_splat(rows->delta[at]);
        for (int k = 0; k < decoder->width; k += LANES)
          wasm_v128_store(room.beside + k, add_product(wasm_v128_load(decoder->cell + k), down,
                                                       wasm_v128_load(decoder->delta_y + k)));
        ask_row(decoder, tile, cols, base, asked, rows->index[at], rows->weight[at], &room,
                out + (long)y * width * LANES);
      }
  }
  for (int at = 0; at < rows->outputs * width; at++)
    wasm_v128_store(out + at * LANES, add_product(half, wasm_v128_load(out + at * LANES), half));
}

// Clamp to [0, 1] and round to 8 bits: (pixels, 4) floats -> (pixels, 4), opaque.
EXPORT void eight_bits(const float *rgb, int pixels, unsigned *out) {
  const v128_t zero = wasm_f32x4_const_splat(0), one = wasm_f32x4_const_splat(1);
  const v128_t full = wasm_f32x4_const_splat(255);
  for (int p = 0; p < pixels; p++) {
    const v128_t clamped =
        wasm_f32x4_min(one, wasm_f32x4_max(zero, wasm_v128_load(rgb + p * LANES)));
    const v128_t whole = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_f32x4_mul(clamped, full)));
    out[p] = (unsigned)wasm_i32x4_extract_lane(whole, 0) |
             (unsigned)wasm_i32x4_extract_lane(whole, 1) << 8 |
             (unsigned)wasm_i32x4_extract_lane(whole, 2) << 16 | 0xff000000u;
  }
}
