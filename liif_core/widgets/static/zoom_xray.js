// The query X-ray: the codes around a point, what each would answer alone, and how they are blended.
import { element } from "./shared.js";
import { chanceOf } from "./zoom_chance.js";
import { pair, signed, swatch, triple } from "./zoom_numbers.js";
import { CODE_COLOURS } from "./zoom_picture.js";

const LETTERS = ["A", "B", "C", "D"];
const PLACES = ["above left", "above right", "below left", "below right"];
const UNIT = 100; // drawing units per photo pixel
const LEGEND = [
  "Circles: the latent codes that are asked, on their pixels of the photo.",
  "Arrows: from each code to the query, its relative coordinate.",
  "White square: the asked-for pixel, the cell, to scale.",
  "Rectangles: between the query and a code lies the weight of the code diagonally opposite, so " +
    "that the nearest code weighs most.",
];
const HINT =
  "Click a point of the picture (or press Enter for its middle) to see which latent codes are " +
  "asked, what each answers, and how their answers become the colour on screen.";

export function xrayPanel() {
  const hint = element("p", { className: "liif-hint" }, HINT);
  const body = element("div");
  const root = element("section", { className: "liif-xray" }, element("h3", {}, "Query X-ray"), body);
  root.setAttribute("aria-label", "Query X-ray");
  root.setAttribute("aria-live", "polite");
  const clear = () => body.replaceChildren(hint);
  clear();
  return {
    root,
    clear,
    say: (text) => body.replaceChildren(element("p", { className: "liif-hint" }, text)),
    // standIn: a line where another method stands at the point than the one that is explained, or "".
    show: (answer, photo, onScreen, standIn) =>
      body.replaceChildren(
        ...(standIn ? [element("p", { className: "liif-hint" }, standIn)] : []),
        ...anatomy(answer, photo, onScreen),
      ),
  };
}

// answer: of the question "xray", with what was asked; photo: [rows, columns]; onScreen: [r, g, b] in 0 … 255, or null.
function anatomy(answer, photo, onScreen) {
  const { coord, side, codes, colour, chance, local_colour: local } = answer;
  const alone = codes.length === 1;
  const where = element(
    "p",
    { className: "liif-where" },
    `${side.method}, asked at y ${signed(coord[0], 4)}, x ${signed(coord[1], 4)}`,
  );
  const drawing = element("div", { className: "liif-drawing" });
  drawing.innerHTML = svg(answer, photo); // numbers and fixed words only
  const lines = alone ? LEGEND.slice(0, 3) : LEGEND;
  const words = lines.map((line) => element("p", {}, line));
  const legend = element("div", { className: "liif-legend" }, ...words);
  const cards = codes.map((code, number) => card(code, number, answer, alone, local));
  const answers = element("div", { className: "liif-codes" }, ...cards);
  const sum = sumOf(codes, colour, onScreen);
  const noise = chance ? [chanceOf(chance, { coord, photo, colour })] : [];
  return [where, element("div", { className: "liif-anatomy" }, drawing, sum), answers, ...noise, legend];
}

// The codes' answers, each by its weight, make the colour; and what the screen makes of that.
function sumOf(codes, colour, onScreen) {
  const terms = codes.map(({ weight }, number) =>
    element("span", { className: "liif-number" }, `${weight.toFixed(3)} ${LETTERS[number]}`),
  );
  const joined = terms.flatMap((term, number) => (number === 0 ? [term] : [" + ", term]));
  const sum = element(
    "p",
    { className: "liif-sum" },
    element("span", {}, ...(codes.length === 1 ? ["the answer "] : [...joined, " = "])),
    element("b", { className: "liif-number" }, swatch(colour), triple(colour)),
  );
  if (onScreen) {
    const shown = onScreen.map((value) => value / 255);
    sum.append(
      element("br"),
      element("span", {}, "on screen, in 8 bits "),
      element("span", { className: "liif-number" }, swatch(shown), triple(shown)),
    );
  }
  return sum;
}

function card(code, number, answer, alone, local) {
  const head = element(
    "header",
    {},
    element("b", { className: "liif-letter" }, LETTERS[number]),
    element("span", {}, alone ? "nearest code" : PLACES[number]),
  );
  const patch = element("div", { className: "liif-patch" });
  patch.innerHTML = patchSvg(code, answer);
  const rows = [
    ["code at", `row ${code.row}, col ${code.col}`],
    ["δ (y, x)", `${signed(code.delta[0], 2)}, ${signed(code.delta[1], 2)}`],
  ];
  if (!alone) rows.push(["weight", code.weight.toFixed(3)]);
  const list = element("dl", {}, ...rows.flatMap(([name, value]) => pair(name, value)));
  const answers = element("dl", { className: "liif-answers" });
  if (local) {
    answers.append(...pair("its pixel", triple(code.base), swatch(code.base)));
    answers.append(...pair("+ learned", triple(code.correction, signed)));
  }
  answers.append(...pair(local ? "= answer" : "answer", triple(code.answer), swatch(code.answer)));
  const made = element(
    "article",
    {},
    head,
    element("div", { className: "liif-facts" }, patch, list),
    answers,
  );
  made.style.setProperty("--liif-code", CODE_COLOURS[number]);
  return made;
}

// The photo around the query, the areas, the arrows and the cell, in photo pixels times UNIT.
function svg({ coord, cell, codes, corner, pixels }, photo) {
  const query = coord.map((value, axis) => (((value + 1) / 2) * photo[axis] - corner[axis]) * UNIT);
  const centres = codes.map(({ row, col }) => [
    (row - corner[0] + 0.5) * UNIT,
    (col - corner[1] + 0.5) * UNIT,
  ]);
  const size = cell.map((value, axis) => (value / 2) * photo[axis] * UNIT);
  const shapes = [pixelShapes(pixels)];
  const words = [];
  if (codes.length === 4) {
    // The rectangle between the query and a code is the weight of the code diagonally opposite.
    centres.forEach((centre, number) => {
      shapes.push(areaShape(query, centre, CODE_COLOURS[3 - number]));
      words.push(share(query, centre, `${LETTERS[3 - number]} ${percent(codes[3 - number].weight)}`));
    });
  }
  centres.forEach((centre, number) => shapes.push(arrow(centre, query, CODE_COLOURS[number])));
  const [height, width] = size;
  const place = `x="${query[1] - width / 2}" y="${query[0] - height / 2}"`;
  shapes.push(`<rect class="liif-cell-dark" ${place} width="${width}" height="${height}"/>`);
  shapes.push(`<rect class="liif-cell" ${place} width="${width}" height="${height}"/>`);
  const seen = new Set();
  centres.forEach(([y, x], number) => {
    const letters = LETTERS.filter((_, other) => {
      const [otherY, otherX] = centres[other] ?? [];
      return otherY === y && otherX === x;
    }).join("");
    if (seen.has(letters)) return; // at a border, one code stands for two places
    seen.add(letters);
    const rx = 9 + 5 * (letters.length - 1);
    const ellipse = `cx="${x}" cy="${y}" rx="${rx}" ry="9" fill="${CODE_COLOURS[number]}"`;
    shapes.push(`<ellipse ${ellipse} class="liif-code-dot"/>`);
    shapes.push(`<text x="${x}" y="${y + 4}" class="liif-code-letter">${letters}</text>`);
  });
  shapes.push(...words);
  const label =
    `${codes.length} latent codes around the query with arrows to it; ` +
    `the asked-for pixel is ${(size[0] / UNIT).toFixed(3)} photo pixels high`;
  // The codes and what lies between them; a single code in the middle.
  const origin = codes.length === 4 ? 0.95 * UNIT : 0.45 * UNIT;
  const box = `${origin} ${origin} ${2.1 * UNIT} ${2.1 * UNIT}`;
  return `<svg viewBox="${box}" role="img" aria-label="${label}">${shapes.join("")}</svg>`;
}

function pixelShapes(pixels) {
  return pixels
    .flatMap((row, y) =>
      row.map((rgb, x) => {
        const place = `x="${x * UNIT}" y="${y * UNIT}" width="${UNIT}" height="${UNIT}"`;
        return rgb
          ? `<rect ${place} class="liif-pixel" fill="rgb(${rgb.join(" ")})"/>`
          : `<rect ${place} class="liif-outside"/>`;
      }),
    )
    .join("");
}

function areaShape([y, x], [codeY, codeX], colour) {
  const [height, width] = [Math.abs(codeY - y), Math.abs(codeX - x)];
  const place = `x="${Math.min(codeX, x)}" y="${Math.min(codeY, y)}"`;
  const form = `width="${width}" height="${height}" fill="${colour}"`;
  return `<rect ${place} ${form} class="liif-area"/>`;
}

// Whose weight a rectangle is; nothing where there is no room for words.
function share([y, x], [codeY, codeX], text) {
  if (Math.abs(codeX - x) < 26 || Math.abs(codeY - y) < 12) return "";
  return `<text x="${(codeX + x) / 2}" y="${(codeY + y) / 2 + 3}" class="liif-share">${text}</text>`;
}

function percent(value) {
  return `${Math.round(100 * value)}%`;
}

function arrow([y0, x0], [y1, x1], colour) {
  const length = Math.hypot(y1 - y0, x1 - x0);
  if (length < 15) return "";
  const [dy, dx] = [(y1 - y0) / length, (x1 - x0) / length];
  const [startY, startX] = [y0 + 9 * dy, x0 + 9 * dx];
  const [neckY, neckX] = [y1 - 7 * dy, x1 - 7 * dx];
  const side = 3.2;
  const head =
    `M${x1} ${y1}L${neckX - side * dy} ${neckY + side * dx}` +
    `L${neckX + side * dy} ${neckY - side * dx}Z`;
  const line = `M${startX} ${startY}L${neckX} ${neckY}`;
  return (
    `<path d="${line}" class="liif-arrow-dark"/><path d="${head}" class="liif-head-dark"/>` +
    `<path d="${line}" class="liif-arrow" stroke="${colour}"/><path d="${head}" fill="${colour}"/>`
  );
}

// A code's own pixel and the eight around it, which feature unfolding joins to it.
function patchSvg({ row, col }, { corner, pixels }) {
  const [first, left] = [row - corner[0] - 1, col - corner[1] - 1];
  const around = pixels.slice(first, first + 3).map((line) => line.slice(left, left + 3));
  const frame = `<rect x="${UNIT}" y="${UNIT}" width="${UNIT}" height="${UNIT}" class="liif-own"/>`;
  const box = `0 0 ${3 * UNIT} ${3 * UNIT}`;
  const label = "the code's own pixel in the middle of its eight neighbours";
  const shapes = pixelShapes(around) + frame;
  return `<svg viewBox="${box}" role="img" aria-label="${label}">${shapes}</svg>`;
}
