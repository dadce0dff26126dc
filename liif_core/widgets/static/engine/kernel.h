// What the kernel's parts share.
#include <wasm_simd128.h>

#define EXPORT __attribute__((visibility("default")))
#define LANES 4      // of a vector
#define PIXELS 4     // of a register tile, by two vectors: what sixteen registers hold
#define NEGLIGIBLE 1e-8f // what is weighted less does not change a float32 between 0 and 1

// Before a loop: its body stands in the code once. What is unrolled has a rest for odd numbers, which no
// sample reaches that has none.
#define ONCE _Pragma("clang loop unroll(disable)")

// Outputs along one axis among the latent codes: (count, outputs) each; see folded.Axis.
typedef struct {
  const int *index;
  const float *delta, *weight;
  int count, outputs;
} Axis;

// A tile: hidden (rows, stride, width) and colours (rows, stride, 4) in [-1, 1].
typedef struct {
  const float *hidden, *colours;
  int stride;
} Tile;

static inline v128_t relu(v128_t x) { return wasm_f32x4_pmax(x, wasm_f32x4_const_splat(0)); }
