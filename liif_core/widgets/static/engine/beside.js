// The engine's pieces where it comes as files: they lie beside this module.
export function piecesBeside() {
  return {
    kernels: { plain: kernelBeside("kernel.wasm"), relaxed: kernelBeside("kernel_relaxed.wasm") },
    worker: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
  };
}

async function kernelBeside(name) {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`A part of this page, ${name}, is missing; reload the page.`);
  return answer.arrayBuffer();
}
