// The engine's pieces where the page holds them itself, one opened from a disk or a notebook; see
// engine_pieces in liif_core/widgets/assets.py.

// kernels: { plain, relaxed }, the bytes of both builds; worker: the text of a worker's script, with
// nothing to import.
export function piecesWithin(kernels, worker) {
  const script = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
  return { kernels, worker: () => new Worker(script) };
}
