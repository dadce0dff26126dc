// The engine's pieces where the page holds them itself, one opened from file:// or a notebook; see
// engine_pieces in liif_core/widgets/assets.py.

// kernel: the bytes of kernel.wasm; worker: the text of a worker's script, with nothing to import.
export function piecesWithin(kernel, worker) {
  const script = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
  return { kernel, worker: () => new Worker(script) };
}
