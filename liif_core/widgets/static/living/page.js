// A page's stills become living widgets when they come into sight. Each still lies in an element
// with data-liif="kind", beside a script of type application/json with what the widget needs.
import { element, readable, spokenLine } from "../shared.js";
import { WIDGETS } from "./living.js";

const NEAR = "400px"; // below the window: a widget begins shortly before it is seen

function begin() {
  const places = [...document.querySelectorAll("[data-liif]")];
  const seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        seen.unobserve(target);
        enliven(target);
      }
    },
    { rootMargin: NEAR },
  );
  for (const place of places) seen.observe(place);
  followPrinting(places);
}

async function enliven(place) {
  const still = place.querySelector(".liif-still");
  const note = spokenLine("p", "liif-waking");
  place.append(note);
  if (place.dataset.liif === "explorer") note.textContent = "The zoom explorer is starting …";
  const el = element("div", { className: "liif-alive" });
  try {
    const data = JSON.parse(place.querySelector("script").textContent);
    place.append(el); // a widget measures its own size
    await WIDGETS[place.dataset.liif](data, el);
    still.hidden = true;
    note.remove();
    place.dataset.alive = "true";
    el.engine?.on("uploaded", forgetFirstPhoto);
  } catch (error) {
    el.remove();
    place.dataset.alive = "false";
    note.textContent = `This stays a still picture here. ${readable(error)}`;
  }
}

// What a page says of the photo that it came with, and of nobody else's.
function forgetFirstPhoto() {
  for (const said of document.querySelectorAll("[data-first-photo]")) said.hidden = true;
}

// On paper, stills say more than widgets.
function followPrinting(places) {
  const show = (printing) => {
    for (const place of places) {
      const still = place.querySelector(".liif-still");
      if (still) still.hidden = !printing && place.dataset.alive === "true";
    }
  };
  addEventListener("beforeprint", () => show(true));
  addEventListener("afterprint", () => show(false));
}

begin();
