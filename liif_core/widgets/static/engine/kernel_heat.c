// The arithmetic of a heat field: what heat_grid.py does, for one tile. Without relaxed SIMD's products,
// so that both builds answer alike.
#include "kernel.h"

static inline v128_t add_mul(v128_t sum, v128_t a, v128_t b) {
  return wasm_f32x4_add(sum, wasm_f32x4_mul(a, b));
}

static inline float sum_of(v128_t x) {
  return wasm_f32x4_extract_lane(x, 0) + wasm_f32x4_extract_lane(x, 1) +
         wasm_f32x4_extract_lane(x, 2) + wasm_f32x4_extract_lane(x, 3);
}

// A convolution of one pixel: source (pixels, in), weights (out / 8, in, 8) -> target (pixels, out).
EXPORT void conv1x1(const float *source, int pixels, int in, const float *weights,
                    const float *bias, float *target, int out, int rectify) {
  for (int first = 0; first < pixels; first += PIXELS)
    for (int o = 0; o < out; o += 8) {
      const float *from[PIXELS], *w = weights + o * in;
      v128_t sums[PIXELS][2];
      for (int p = 0; p < PIXELS; p++) { // what there is none of is computed like the last
        from[p] = source + (long)(first + p < pixels ? first + p : pixels - 1) * in;
        for (int half = 0; half < 2; half++) sums[p][half] = wasm_v128_load(bias + o + half * LANES);
      }
      ONCE
      for (int k = 0; k < in; k++, w += 8) {
        const v128_t w0 = wasm_v128_load(w), w1 = wasm_v128_load(w + LANES);
        for (int p = 0; p < PIXELS; p++) {
          const v128_t value = wasm_v128_load32_splat(from[p] + k);
          sums[p][0] = add_mul(sums[p][0], value, w0);
          sums[p][1] = add_mul(sums[p][1], value, w1);
        }
      }
      for (int p = 0; p < PIXELS && first + p < pixels; p++)
        for (int half = 0; half < 2; half++)
          wasm_v128_store(target + (long)(first + p) * out + o + half * LANES,
                          rectify ? relu(sums[p][half]) : sums[p][half]);
    }
}

// The waves where outputs stand along both axes, (neighbours, outputs, waves) each; those of the
// rows damped by the cell. waves: a multiple of four.
typedef struct {
  const float *sin_y, *cos_y, *sin_x, *cos_x;
  int waves, size;
} Waves;

// One field's colour in [-1, 1]: field: three constants and a 0, then (a, b) of each colour: (3, waves)
// twice.
static __attribute__((noinline)) v128_t colour_of(const float *field, const Waves *all, int y, int x) {
  const int waves = all->waves;
  const float *a = field + LANES, *b = a + 3 * waves;
  v128_t sums[3];
  for (int j = 0; j < 3; j++) sums[j] = wasm_f32x4_const_splat(0);
  ONCE
  for (int k = 0; k < waves; k += LANES) {
    const v128_t sy = wasm_v128_load(all->sin_y + y * waves + k);
    const v128_t cy = wasm_v128_load(all->cos_y + y * waves + k);
    const v128_t sx = wasm_v128_load(all->sin_x + x * waves + k);
    const v128_t cx = wasm_v128_load(all->cos_x + x * waves + k);
    const v128_t sin = add_mul(wasm_f32x4_mul(sy, cx), cy, sx); // of the sum: angle addition
    const v128_t cos = wasm_f32x4_sub(wasm_f32x4_mul(cy, cx), wasm_f32x4_mul(sy, sx));
    for (int j = 0; j < 3; j++) {
      sums[j] = add_mul(sums[j], wasm_v128_load(a + j * waves + k), sin);
      sums[j] = add_mul(sums[j], wasm_v128_load(b + j * waves + k), cos);
    }
  }
  const v128_t waved = wasm_f32x4_make(sum_of(sums[0]), sum_of(sums[1]), sum_of(sums[2]), 0);
  return wasm_f32x4_add(wasm_v128_load(field), waved);
}

// Ask for the colour at every crossing of rows and columns: HeatGrid.grid. Of the tile, `hidden` holds
// fields, `size` numbers each; out: (rows, columns, 4), RGB about [0, 1], not clamped.
EXPORT void decode_waves(const Waves *all, const Tile *tile, const Axis *rows, const Axis *cols,
                         float *out) {
  const v128_t half = wasm_f32x4_const_splat(0.5f);
  for (int y = 0; y < rows->outputs; y++)
    for (int x = 0; x < cols->outputs; x++, out += LANES) {
      v128_t total = wasm_f32x4_const_splat(0);
      for (int r = 0; r < rows->count; r++)
        for (int c = 0; c < cols->count; c++) {
          const int down = r * rows->outputs + y, across = c * cols->outputs + x;
          const float wy = rows->weight[down], wx = cols->weight[across];
          if (!(wy > NEGLIGIBLE && wx > NEGLIGIBLE)) continue;
          const long code = (long)rows->index[down] * tile->stride + cols->index[across];
          const v128_t own = wasm_v128_load(tile->colours + code * LANES);
          const v128_t said = colour_of(tile->hidden + code * all->size, all, down, across);
          total = add_mul(total, wasm_f32x4_add(own, said), wasm_f32x4_splat(wy * wx));
        }
      wasm_v128_store(out, add_mul(half, total, half));
    }
}
