// What a page holds in itself, as base64: `window.liif` is { kernels, worker, weights, photos }.
// Scripts put it there, for a page that was opened from a disk may fetch nothing.

export function heldBytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

// The weights of a model by their mark, as an ArrayBuffer: those in the page, or a script's beside
// it, which lies in the folder that the page names.
export async function heldWeights(mark) {
  const { weights } = window.liif;
  if (!weights[mark]) await scriptLoaded(`${document.documentElement.dataset.root}weights/${mark}.js`);
  return heldBytes(weights[mark]).buffer;
}

const loading = new Map(); // address -> promise: each script once

function scriptLoaded(src) {
  if (!loading.has(src)) {
    const arrives = new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src, onload: resolve });
      script.onerror = () => reject(new Error(`A part of this page, ${src}, is missing; reload the page.`));
      document.head.append(script);
    });
    arrives.catch(() => loading.delete(src)); // so that another try is one
    loading.set(src, arrives);
  }
  return loading.get(src);
}
