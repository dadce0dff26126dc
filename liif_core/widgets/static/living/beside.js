// An explorer from what a saved notebook holds, where the engine lies in files beside this one: the
// extension of JupyterLab (../../labextension) brings them.
import { piecesBeside } from "../engine/beside.js";
import { exploreHeld } from "./living.js";

const STYLES = ["shared.css", "zoom_explorer.css"];

// held: what `living()` of a ZoomExplorer returns, with weights. Promises what ends it.
export async function explorerBeside(held, el) {
  await Promise.all(STYLES.map(styled));
  return exploreHeld(held, el, piecesBeside());
}

const sheets = new Map(); // name -> promise: each once

function styled(name) {
  if (!sheets.has(name)) {
    const href = new URL(`../${name}`, import.meta.url).href;
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    sheets.set(name, new Promise((done) => Object.assign(link, { onload: done, onerror: done })));
    document.head.append(link);
  }
  return sheets.get(name);
}
