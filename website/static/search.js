// The search over the lessons: MiniSearch over window.sections, [{ page, title, section, text }].
(() => {
  const MOST = 30;
  const AROUND = 90; // letters of a section's text before and after what was found
  const engine = new MiniSearch({
    fields: ["title", "section", "text"],
    searchOptions: {
      boost: { title: 3, section: 3 },
      prefix: true,
      fuzzy: (term) => (term.length > 5 ? 0.2 : false), // of short words, too many are alike
      combineWith: "AND",
    },
  });
  engine.addAll(window.sections.map((section, id) => ({ id, ...section })));
  const words = document.getElementById("words");
  const found = document.getElementById("found");
  const results = document.getElementById("results");

  // A piece of a text around the first of some words, which are marked.
  function excerpt(text, terms) {
    const escaped = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const pattern = new RegExp(`(${escaped.join("|")})`, "i");
    const at = Math.max(0, text.search(pattern));
    const from = Math.max(0, at - AROUND);
    const piece = text.slice(from, at + 2 * AROUND);
    const parts = piece.split(new RegExp(pattern.source, "gi"));
    const line = document.createElement("p");
    line.append(from > 0 ? "… " : "");
    parts.forEach((part, number) => {
      const mark = document.createElement("mark");
      mark.textContent = part;
      line.append(number % 2 ? mark : part);
    });
    line.append(" …");
    return line;
  }

  function row({ id, match }) {
    const { page, title, section, text } = window.sections[id];
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = page;
    link.textContent = section && section !== title ? `${title}: ${section}` : title;
    item.append(link, excerpt(text, Object.keys(match)));
    return item;
  }

  // What an address asks for: as it is, where it is no encoded text (a lone % is none).
  function askedBy(hash) {
    try {
      return decodeURIComponent(hash);
    } catch {
      return hash;
    }
  }

  function search() {
    const asked = words.value.trim();
    const all = asked ? engine.search(asked) : [];
    results.replaceChildren(...all.slice(0, MOST).map(row));
    let count = all.length === 1 ? "1 section" : `${all.length} sections`;
    if (all.length > MOST) count += `; here are the best ${MOST}. One word more finds fewer.`;
    found.textContent = asked ? (all.length ? count : "Nothing found; try fewer or shorter words.") : "";
    const address = new URL(location.href);
    address.hash = asked && encodeURIComponent(asked);
    history.replaceState(null, "", address);
  }

  document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
  words.addEventListener("input", search);
  words.value = askedBy(location.hash.slice(1));
  search();
})();
