// The arithmetic of LIIF for a browser: what folded.py and bands.py do, in WebAssembly with SIMD.
//
// Whoever calls manages the memory: every pointer is given, nothing is allocated. All numbers are
// float32, the channels of a pixel side by side, and as many as fill whole vectors (multiples of
// eight for what a layer says; the rest is zeros). kernel.wasm is built from this file by `make
// kernel`; tests/test_engine_kernel.py holds the two together.
#include <wasm_simd128.h>

#define EXPORT __attribute__((visibility("default")))
#define LANES 4      // of a vector
#define PIXELS 4     // of a register tile, by two vectors: what sixteen registers hold
#define BLOCK 32     // output pixels decoded at a time: their activations stay in the nearest cache
#define NEGLIGIBLE 1e-8f // what is weighted less does not change a float32 between 0 and 1

// A layer of the decoder. weights: (out / 8, in, 8), or (in, 4) for the last; bias: (out).
typedef struct {
  const float *weights, *bias;
  int in, out;
} Layer;

// Outputs along one axis among the latent codes: (count, outputs) each; see folded.Axis.
typedef struct {
  const int *index;
  const float *delta, *weight;
  int count, outputs;
} Axis;

// What a decoder needs beside the codes. delta_y, delta_x, cell: (width).
typedef struct {
  const Layer *layers;
  const float *delta_y, *delta_x, *cell;
  int count, width, local_colour;
} Decoder;

// A tile: hidden (rows, stride, width) and colours (rows, stride, 4) in [-1, 1].
typedef struct {
  const float *hidden, *colours;
  int stride;
} Tile;

static inline v128_t relu(v128_t x) { return wasm_f32x4_max(x, wasm_f32x4_const_splat(0)); }

static inline v128_t add_product(v128_t sum, v128_t a, v128_t b) {
  return wasm_f32x4_add(sum, wasm_f32x4_mul(a, b));
}

// Add `count` products to the sums of `pixels` pixels × two vectors. x: the first pixel's values,
// the next pixel's `step` further; weights: (count, 8).
static inline __attribute__((always_inline)) void accumulate(
    v128_t sums[][2], int pixels, const float *x, int step, const float *weights, int count) {
  for (int k = 0; k < count; k++, weights += 8) {
    const v128_t w0 = wasm_v128_load(weights), w1 = wasm_v128_load(weights + LANES);
    for (int p = 0; p < pixels; p++) {
      const v128_t value = wasm_v128_load32_splat(x + p * step + k);
      sums[p][0] = add_product(sums[p][0], value, w0);
      sums[p][1] = add_product(sums[p][1], value, w1);
    }
  }
}

// One register tile of a convolution. x: upper left of the first pixel's neighbourhood.
static inline __attribute__((always_inline)) void convolve(
    int pixels, const float *x, int row, int in, const float *weights, const float *bias,
    float *y, int out, int rectify, int residual) {
  v128_t sums[PIXELS][2];
  for (int p = 0; p < pixels; p++)
    for (int half = 0; half < 2; half++) sums[p][half] = wasm_v128_load(bias + half * LANES);
  for (int down = 0; down < 3; down++) // three pixels of a row lie side by side
    accumulate(sums, pixels, x + down * row, in, weights + down * 3 * in * 8, 3 * in);
  for (int p = 0; p < pixels; p++)
    for (int half = 0; half < 2; half++) {
      float *to = y + p * out + half * LANES;
      v128_t value = sums[p][half];
      if (rectify) value = relu(value);
      if (residual) value = wasm_f32x4_add(value, wasm_v128_load(to));
      wasm_v128_store(to, value);
    }
}

// A 3×3 convolution that keeps the size.
// source: (height + 2, width + 2, in), zeros around; weights: (out / 8, 3, 3, in, 8);
// target: its upper left pixel, rows `stride` floats apart. rectify: ReLU; residual: add to target.
EXPORT void conv3x3(const float *source, int height, int width, int in, const float *weights,
                    const float *bias, float *target, int stride, int out, int rectify,
                    int residual) {
  const int row = (width + 2) * in;
  for (int y = 0; y < height; y++)
    for (int o = 0; o < out; o += 8) {
      const float *w = weights + o * 9 * in, *x = source + y * row;
      float *to = target + y * stride + o;
      int left = width;
      for (; left >= PIXELS; left -= PIXELS, x += PIXELS * in, to += PIXELS * out)
        convolve(PIXELS, x, row, in, w, bias + o, to, out, rectify, residual);
      for (; left > 0; left--, x += in, to += out)
        convolve(1, x, row, in, w, bias + o, to, out, rectify, residual);
    }
}

// A hidden layer and its ReLU, for a multiple of four pixels: x (pixels, in) -> y (pixels, out).
static void dense(const Layer *layer, int pixels, const float *x, float *y) {
  const int in = layer->in, out = layer->out;
  for (int o = 0; o < out; o += 8)
    for (int p = 0; p < pixels; p += PIXELS) {
      v128_t sums[PIXELS][2];
      for (int q = 0; q < PIXELS; q++)
        for (int half = 0; half < 2; half++)
          sums[q][half] = wasm_v128_load(layer->bias + o + half * LANES);
      accumulate(sums, PIXELS, x + p * in, in, layer->weights + o * in, in);
      for (int q = 0; q < PIXELS; q++)
        for (int half = 0; half < 2; half++)
          wasm_v128_store(y + (p + q) * out + o + half * LANES, relu(sums[q][half]));
    }
}

// The last layer: x (pixels, in) -> y (pixels, 4), of which the last is nothing.
static void colour_layer(const Layer *layer, int pixels, const float *x, float *y) {
  const int in = layer->in;
  for (int p = 0; p < pixels; p += PIXELS) {
    v128_t sums[PIXELS];
    for (int q = 0; q < PIXELS; q++) sums[q] = wasm_v128_load(layer->bias);
    for (int k = 0; k < in; k++) {
      const v128_t w = wasm_v128_load(layer->weights + k * LANES);
      for (int q = 0; q < PIXELS; q++)
        sums[q] = add_product(sums[q], wasm_v128_load32_splat(x + (p + q) * in + k), w);
    }
    for (int q = 0; q < PIXELS; q++) wasm_v128_store(y + (p + q) * LANES, sums[q]);
  }
}

// The first layer's sum and its ReLU for one output pixel: what the code says, and beside it.
static void first_layer(const float *hidden, const float *beside, float delta,
                        const float *delta_x, int width, float *x) {
  const v128_t across = wasm_f32x4_splat(delta);
  for (int k = 0; k < width; k += LANES) {
    const v128_t sum = add_product(wasm_v128_load(beside + k), across, wasm_v128_load(delta_x + k));
    wasm_v128_store(x + k, relu(wasm_f32x4_add(wasm_v128_load(hidden + k), sum)));
  }
}

// Add one neighbour's weighted answers to a block of output pixels of one row.
static void ask(const Decoder *decoder, const Tile *tile, const Axis *cols, int neighbour, int left,
                int pixels, int row, float share, const float *beside, float *one, float *other,
                v128_t *sums) {
  const int width = decoder->width, base = neighbour * cols->outputs + left;
  int which[BLOCK], asked = 0;
  for (int p = 0; p < pixels; p++)
    if (cols->weight[base + p] > NEGLIGIBLE) {
      const int code = row * tile->stride + cols->index[base + p];
      first_layer(tile->hidden + code * width, beside, cols->delta[base + p], decoder->delta_x,
                  width, one + asked * width);
      which[asked++] = p;
    }
  if (asked == 0) return;
  const int padded = (asked + PIXELS - 1) / PIXELS * PIXELS; // what is beyond is not read
  for (int l = 0; l + 1 < decoder->count; l++) {
    dense(decoder->layers + l, padded, one, other);
    float *swap = one;
    one = other;
    other = swap;
  }
  colour_layer(decoder->layers + decoder->count - 1, padded, one, other);
  for (int a = 0; a < asked; a++) {
    v128_t answer = wasm_v128_load(other + a * LANES);
    if (decoder->local_colour) {
      const int code = row * tile->stride + cols->index[base + which[a]];
      answer = wasm_f32x4_add(answer, wasm_v128_load(tile->colours + code * LANES));
    }
    const v128_t weight = wasm_f32x4_splat(share * cols->weight[base + which[a]]);
    sums[which[a]] = add_product(sums[which[a]], answer, weight);
  }
}

// Ask for the colour at every crossing of rows and columns: FoldedDecoder.grid.
// scratch: room for (1 + 2 · BLOCK) times the widest layer; out: (rows, columns, 4), RGB about
// [0, 1], not clamped.
EXPORT void decode(const Decoder *decoder, const Tile *tile, const Axis *rows, const Axis *cols,
                   int widest, float *scratch, float *out) {
  float *beside = scratch, *one = scratch + widest, *other = one + BLOCK * widest;
  const v128_t half = wasm_f32x4_const_splat(0.5f);
  for (int y = 0; y < rows->outputs; y++)
    for (int left = 0; left < cols->outputs; left += BLOCK) {
      const int rest = cols->outputs - left, pixels = rest < BLOCK ? rest : BLOCK;
      v128_t sums[BLOCK];
      for (int p = 0; p < pixels; p++) sums[p] = wasm_f32x4_const_splat(0);
      for (int r = 0; r < rows->count; r++) {
        const int at = r * rows->outputs + y;
        if (!(rows->weight[at] > NEGLIGIBLE)) continue;
        const v128_t down = wasm_f32x4_splat(rows->delta[at]);
        for (int k = 0; k < decoder->width; k += LANES)
          wasm_v128_store(beside + k, add_product(wasm_v128_load(decoder->cell + k), down,
                                                  wasm_v128_load(decoder->delta_y + k)));
        for (int c = 0; c < cols->count; c++)
          ask(decoder, tile, cols, c, left, pixels, rows->index[at], rows->weight[at], beside, one,
              other, sums);
      }
      for (int p = 0; p < pixels; p++)
        wasm_v128_store(out + ((long)y * cols->outputs + left + p) * LANES,
                        add_product(half, sums[p], half));
    }
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
