// The engine's pieces where it comes as files: they lie beside this module.
export function piecesBeside() {
  return {
    kernel: kernelBeside(),
    worker: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
  };
}

async function kernelBeside() {
  const answer = await fetch(new URL("./kernel.wasm", import.meta.url));
  if (!answer.ok) throw new Error("A part of this page, kernel.wasm, is missing; reload the page.");
  return answer.arrayBuffer();
}
