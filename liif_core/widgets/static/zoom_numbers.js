// Numbers and colours, as the X-ray and the readout write them.
import { element } from "./shared.js";

export function pair(name, value, mark = "") {
  return [element("dt", {}, name), element("dd", { className: "liif-number" }, mark, value)];
}

// rgb: a colour, 1 is full.
export function swatch(rgb) {
  const made = element("i", { className: "liif-swatch" });
  made.style.background = css(rgb);
  return made;
}

function css(rgb) {
  return `rgb(${rgb.map((value) => Math.round(255 * Math.min(Math.max(value, 0), 1))).join(" ")})`;
}

export function signed(value, digits = 3) {
  const text = Math.abs(value).toFixed(digits);
  const zero = Number(text) === 0;
  return (zero || value > 0 ? "+" : "−") + text;
}

function plain(value, digits = 3) {
  return (Number(value.toFixed(digits)) < 0 ? "−" : "") + Math.abs(value).toFixed(digits);
}

export function triple(rgb, form = plain) {
  return rgb.map((value) => form(value, 3)).join(" ");
}
