// The noise that a decoder invents details from: noise_field.py, with the same integers and, but for
// what float32 rounds, the same values.
#include "kernel.h"

#define ROW 0x9E3779B1u
#define COLUMN 0x85EBCA77u
#define CHANNEL 0x51ED2701u

// One channel: (cos, sin) / along, (cos, sin) / across, and across, in photo pixels.
typedef struct {
  double cos_along, sin_along, cos_across, sin_across, across;
} Lattice;

static unsigned mixed(unsigned x) {
  x = (x ^ (x >> 16)) * 0x7FEB352Du;
  x = (x ^ (x >> 15)) * 0x846CA68Bu;
  return x ^ (x >> 16);
}

static float smooth(float t) { return t * t * (3 - 2 * t); }

// 32 random bits as a number of mean 0 and variance 1: from the middle of the first of 2^24 steps on.
static float uniform(unsigned bits) {
  const double step = 3.4641016151377544 / (1 << 24);
  return (float)(bits >> 8) * (float)step - (float)(1.7320508075688772 - step / 2);
}

static __attribute__((noinline)) float value_at(const Lattice *lattice, double y, double x, unsigned key) {
  const double u = x * lattice->cos_along + y * lattice->sin_along;
  const double v = y * lattice->cos_across - x * lattice->sin_across;
  const double col = __builtin_floor(u), row = __builtin_floor(v);
  const float right = smooth((float)(u - col)), below = smooth((float)(v - row));
  const unsigned first = (unsigned)(long long)row * ROW + key;
  const unsigned counter = (unsigned)(long long)col * COLUMN;
  float total = 0, squares = 0;
  for (int down = 0; down < 2; down++) {
    const unsigned along = mixed(first + (down ? ROW : 0)) + counter;
    for (int across = 0; across < 2; across++) {
      const float weight = (down ? below : 1 - below) * (across ? right : 1 - right);
      total += weight * uniform(mixed(along + (across ? COLUMN : 0)));
      squares += weight * weight;
    }
  }
  return total / __builtin_sqrtf(squares);
}

// The field at every crossing of rows and columns, in photo pixels: out (rows, columns, channels).
// cell: the side of an output.
EXPORT void noise_field(const Lattice *lattices, int channels, const double *y, int rows,
                        const double *x, int cols, double cell, unsigned seed, float *out) {
  const unsigned key = mixed(seed);
  for (int row = 0; row < rows; row++)
    for (int col = 0; col < cols; col++)
      for (int n = 0; n < channels; n++) {
        const double finer = cell / lattices[n].across;
        const float damping = (float)(1 / __builtin_sqrt(finer * finer + 1));
        *out++ = value_at(lattices + n, y[row], x[col], key + CHANNEL * n) * damping;
      }
}
