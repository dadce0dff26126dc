// The noise under the X-ray: what the decoder read of it at the point, and what of the colour is chance.
import { element } from "./shared.js";
import { pair, signed, swatch, triple } from "./zoom_numbers.js";

const NOISE_SQUARE = 40; // drawing units per photo pixel
const FARTHEST = 2 * Math.sqrt(3); // what the values reach
const ABOUT_NOISE =
  "Each square is one photo pixel around the point, with the lattice that one channel of noise has its " +
  "random numbers on. The bar is what the decoder read of it here. No detail of the photo is in it.";

// chance: of the answer "xray"; see QUESTIONS.md. coord, colour: of the answer; photo: [rows, columns].
export function chanceOf({ seed, read, without, others, spread }, { coord, photo, colour }) {
  const place = coord.map((value, axis) => ((value + 1) / 2) * photo[axis]);
  const list = element("ol", { className: "liif-noise" }, ...read.map((channel) => channelItem(channel, place)));
  list.setAttribute("aria-label", `${read.length} channels of noise, and what was read of each`);
  const colours = element("dl", { className: "liif-answers" });
  colours.append(
    ...pair(`seed ${seed}`, triple(colour), swatch(colour)),
    ...pair("if all were 0", triple(without), swatch(without)),
    ...pair("spread", `± ${triple(spread)}`),
  );
  const strip = element("span", { className: "liif-others" }, ...others.map(swatch));
  const far = Math.round(255 * Math.max(...spread));
  const verdict = `${others.length} other seeds answer these. They differ by ±${far} of 255: so much of this colour is chance.`;
  return element(
    "section",
    { className: "liif-chance" },
    element("h4", {}, `Noise, seed ${seed}`),
    list,
    element("div", { className: "liif-facts" }, colours, element("p", {}, strip, element("br"), verdict)),
    element("p", { className: "liif-quiet" }, ABOUT_NOISE),
  );
}

function channelItem({ angle, along, across, value }, place) {
  const made = element("li");
  made.innerHTML = latticeSvg(angle, along, across, place) + barSvg(value); // numbers and fixed words only
  const pitch = along === across ? `${along}` : `${along}×${across}`;
  made.title = `pitch ${pitch} photo pixels, turned by ${Math.round((angle * 180) / Math.PI)}°`;
  made.append(element("span", { className: "liif-number" }, signed(value, 2)));
  return made;
}

// The lattice's lines as they lie around the point, in a square of one photo pixel.
function latticeSvg(angle, along, across, [y, x]) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const at = [(x * cos + y * sin) / along, (y * cos - x * sin) / across];
  const reach = 0.75 * NOISE_SQUARE;
  const [right, down] = [along, across].map((pitch, axis) => {
    const first = (Math.ceil(at[axis]) - at[axis]) * pitch * NOISE_SQUARE; // of the lines beyond the point
    const step = pitch * NOISE_SQUARE;
    const from = first - step * Math.ceil((first + reach) / step);
    const count = Math.ceil((reach - from) / step);
    return Array.from({ length: count + 1 }, (_, number) => (from + number * step).toFixed(2));
  });
  const lines =
    right.map((u) => `M${u} ${-reach}V${reach}`).join("") + down.map((v) => `M${-reach} ${v}H${reach}`).join("");
  const half = NOISE_SQUARE / 2;
  return (
    `<svg viewBox="${-half} ${-half} ${NOISE_SQUARE} ${NOISE_SQUARE}" aria-hidden="true">` +
    `<path d="${lines}" transform="rotate(${((angle * 180) / Math.PI).toFixed(2)})" class="liif-lattice"/>` +
    `<circle r="2.2" class="liif-here"/></svg>`
  );
}

function barSvg(value) {
  const [width, height] = [NOISE_SQUARE, 6];
  const end = (value / FARTHEST) * (width / 2);
  return (
    `<svg viewBox="${-width / 2} 0 ${width} ${height}" aria-hidden="true">` +
    `<rect x="${Math.min(0, end)}" width="${Math.abs(end)}" y="1" height="4" class="liif-read"/>` +
    `<path d="M0 0V${height}" class="liif-lattice"/></svg>`
  );
}
