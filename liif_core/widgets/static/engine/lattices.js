// Where the channels of noise have their random values: LATTICES of noise_field.py; see there.
const turned = (first, along, across) =>
  [0, 1, 2, 3].map((turn) => ({ angle: first + (turn * Math.PI) / 4, along, across }));

export const LATTICES = [
  { angle: 0.31, along: 0.61, across: 0.61 },
  { angle: 1.13, along: 0.33, across: 0.33 },
  { angle: 0.52, along: 0.18, across: 0.18 },
  { angle: 0.83, along: 1.07, across: 1.07 },
  ...turned(0.21, 1.3, 0.43),
  ...turned(0.59, 0.67, 0.22),
];

// The first so many as the kernel reads them: a Lattice of kernel_noise.c each.
export function latticeTable(channels) {
  const rows = LATTICES.slice(0, channels).map(({ angle, along, across }) => {
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return [cos / along, sin / along, cos / across, sin / across, across];
  });
  return Float64Array.from(rows.flat());
}
